// features/engines/winograd/tile_transform-inl.hpp: B^T d B, A^T M A and A D A^T on a vector of channels.
// Included once per instruction set, by kernels.cpp. The matrices are compile-time constants: zeros cost
// nothing, ones cost an addition. The rows of two points +-a share their sums:
//   row(+-a) = x w +- a w,   w = the product over all other points.
// So eight inputs of F(6,3) take 24 operations instead of 64. Sums are written exactly as they have to be
// rounded. The file is compiled without contraction, so that every instruction set with FMA gives exactly the
// same results.
#include <hwy/highway.h>

#include <array>
#include <cstddef>
#include <utility>

#include "features/engines/winograd/cook_toom.hpp"
#include "features/engines/winograd/kernels.hpp"

#if defined(HEADSTART_FEATURES_WINOGRAD_TILE_TRANSFORM_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef HEADSTART_FEATURES_WINOGRAD_TILE_TRANSFORM_INL_HPP
#undef HEADSTART_FEATURES_WINOGRAD_TILE_TRANSFORM_INL_HPP
#else
#define HEADSTART_FEATURES_WINOGRAD_TILE_TRANSFORM_INL_HPP
#endif

HWY_BEFORE_NAMESPACE();
namespace headstart::winograd {
namespace HWY_NAMESPACE {  // NOLINT(readability-identifier-naming): Highway names one namespace per target

namespace hn = hwy::HWY_NAMESPACE;

/// A channel block is 16 channels: one vector of AVX-512, two of AVX2, four of 128 bits.
using Floats = hn::CappedTag<float, kBlock>;
using Vector = hn::Vec<Floats>;

/// The product over all points but the pair's.
template <std::size_t kOutputs, std::size_t kPair>
struct PairPolynomial {
  static constexpr auto kCoefficient = CookToom<kOutputs>::product_without(1 + 2 * kPair, 2 + 2 * kPair);
};
template <std::size_t kOutputs, std::size_t kRow>
struct InputRow {
  static constexpr auto kCoefficient = CookToom<kOutputs>::kInput[kRow];
};

template <class Row>
constexpr std::size_t first_term() {
  std::size_t i = 0;
  while (Row::kCoefficient[i] == 0.0) ++i;
  return i;
}

template <class Row, std::size_t kTerm, std::size_t kFirst>
HWY_INLINE void add_term(Vector& sum, Vector value) {
  constexpr double kCoefficient = Row::kCoefficient[kTerm];
  static_assert(static_cast<double>(static_cast<float>(kCoefficient)) == kCoefficient);
  const Floats d;
  if constexpr (kTerm < kFirst || kCoefficient == 0.0) {
  } else if constexpr (kTerm == kFirst) {
    sum = kCoefficient == 1.0 ? value : hn::Mul(hn::Set(d, static_cast<float>(kCoefficient)), value);
  } else if constexpr (kCoefficient == 1.0) {
    sum = hn::Add(sum, value);
  } else if constexpr (kCoefficient == -1.0) {
    sum = hn::Sub(sum, value);
  } else {
    sum = hn::MulAdd(hn::Set(d, static_cast<float>(kCoefficient)), value, sum);
  }
}

/// sum_i Row[i] in[i + kShift]
template <class Row, std::size_t kShift, std::size_t... kTerms>
HWY_INLINE Vector dot(const Vector* in, std::index_sequence<kTerms...>) {
  Vector sum = in[0];
  (add_term<Row, kTerms, first_term<Row>()>(sum, in[kTerms + kShift]), ...);
  return sum;
}

template <std::size_t kOutputs, std::size_t kPair>
HWY_INLINE void transform_pair(const Vector* in, Vector* out) {
  using Matrices = CookToom<kOutputs>;
  using Row = PairPolynomial<kOutputs, kPair>;
  constexpr std::size_t kRow = 1 + 2 * kPair;
  constexpr auto kPoint = static_cast<float>(Matrices::kPoint[kRow]);
  constexpr auto kTerms = std::make_index_sequence<Matrices::kInputs - 2>();
  const Vector plain = dot<Row, 0>(in, kTerms);
  const Vector shifted = dot<Row, 1>(in, kTerms);
  if constexpr (kPoint == 1.0F) {
    out[kRow] = hn::Add(shifted, plain);
    out[kRow + 1] = hn::Sub(shifted, plain);
  } else {
    const Vector point = hn::Set(Floats(), kPoint);
    out[kRow] = hn::MulAdd(point, plain, shifted);
    out[kRow + 1] = hn::NegMulAdd(point, plain, shifted);
  }
}

template <std::size_t kOutputs, std::size_t... kPairs>
HWY_INLINE void transform_pairs(const Vector* in, Vector* out, std::index_sequence<kPairs...>) {
  (transform_pair<kOutputs, kPairs>(in, out), ...);
}

/// out = B^T in: kInputs to kInputs vectors.
template <std::size_t kOutputs>
HWY_INLINE void transform_input(const Vector* in, Vector* out) {
  using Matrices = CookToom<kOutputs>;
  constexpr auto kTerms = std::make_index_sequence<Matrices::kInputs>();
  out[0] = dot<InputRow<kOutputs, 0>, 0>(in, kTerms);
  transform_pairs<kOutputs>(in, out, std::make_index_sequence<Matrices::kPairs>());
  if constexpr (Matrices::kPoints % 2 == 0) {
    out[Matrices::kPoints - 1] = dot<InputRow<kOutputs, Matrices::kPoints - 1>, 0>(in, kTerms);
  }
  out[Matrices::kPoints] = dot<InputRow<kOutputs, Matrices::kPoints>, 0>(in, kTerms);
}

/// The row of A^T over sums (even powers) or differences (odd powers) of pairs. The first term comes from the
/// point without a pair.
template <std::size_t kOutputs, std::size_t kRow, std::size_t... kPairs>
HWY_INLINE Vector output_row(const Vector* in, const Vector* sums, const Vector* differences,
                             std::index_sequence<kPairs...>) {
  using Matrices = CookToom<kOutputs>;
  const Floats d;
  const Vector* const pairs = kRow % 2 == 0 ? sums : differences;
  Vector sum;
  if constexpr (kRow == 0) {
    sum = hn::Add(in[0], pairs[0]);
  } else if constexpr (Matrices::kOutput[kRow][1] == 1.0) {
    sum = pairs[0];
  } else {
    sum = hn::Mul(hn::Set(d, static_cast<float>(Matrices::kOutput[kRow][1])), pairs[0]);
  }
  const auto add = [&]<std::size_t kPair>(std::integral_constant<std::size_t, kPair>) HWY_ATTR {
    constexpr double kCoefficient = Matrices::kOutput[kRow][1 + 2 * kPair];
    static_assert(static_cast<double>(static_cast<float>(kCoefficient)) == kCoefficient);
    if constexpr (kCoefficient == 1.0) {
      sum = hn::Add(sum, pairs[kPair]);
    } else {
      sum = hn::MulAdd(hn::Set(d, static_cast<float>(kCoefficient)), pairs[kPair], sum);
    }
  };
  (add(std::integral_constant<std::size_t, kPairs + 1>()), ...);
  if constexpr (Matrices::kPoints % 2 == 0) {  // the point without a partner
    constexpr auto kCoefficient = static_cast<float>(Matrices::kOutput[kRow][Matrices::kPoints - 1]);
    const Vector single = in[Matrices::kPoints - 1];
    sum = kCoefficient == 1.0F ? hn::Add(sum, single) : hn::MulAdd(hn::Set(d, kCoefficient), single, sum);
  }
  if constexpr (kRow + 1 == kOutputs) sum = hn::Add(sum, in[Matrices::kPoints]);
  return sum;
}

template <std::size_t kOutputs, std::size_t... kRows>
HWY_INLINE void transform_output_rows(const Vector* in, Vector* out, std::index_sequence<kRows...>) {
  constexpr std::size_t kPairs = CookToom<kOutputs>::kPairs;
  Vector sums[kPairs];
  Vector differences[kPairs];
  for (std::size_t pair = 0; pair < kPairs; ++pair) {
    sums[pair] = hn::Add(in[1 + 2 * pair], in[2 + 2 * pair]);
    differences[pair] = hn::Sub(in[1 + 2 * pair], in[2 + 2 * pair]);
  }
  ((out[kRows] = output_row<kOutputs, kRows>(in, sums, differences, std::make_index_sequence<kPairs - 1>())),
   ...);
}

/// out = A^T in: kInputs to kOutputs vectors.
template <std::size_t kOutputs>
HWY_INLINE void transform_output(const Vector* in, Vector* out) {
  transform_output_rows<kOutputs>(in, out, std::make_index_sequence<kOutputs>());
}

/// Even or odd powers of a point: every other entry of a column of A^T.
template <std::size_t kOutputs, std::size_t kPoint, std::size_t kFirst>
struct PointPowers {
  static constexpr std::array<double, kOutputs> powers() {
    std::array<double, kOutputs> powers{};
    for (std::size_t row = kFirst; row < kOutputs; row += 2) {
      powers[row] = CookToom<kOutputs>::kOutput[row][kPoint];
    }
    return powers;
  }
  static constexpr auto kCoefficient = powers();
};

template <std::size_t kOutputs, std::size_t kPoint, std::size_t kFirst>
HWY_INLINE Vector sum_of_powers(const Vector* in) {
  return dot<PointPowers<kOutputs, kPoint, kFirst>, 0>(in, std::make_index_sequence<kOutputs>());
}

template <std::size_t kOutputs, std::size_t kPair>
HWY_INLINE void transform_gradient_pair(const Vector* in, Vector* out) {
  constexpr std::size_t kRow = 1 + 2 * kPair;
  const Vector even = sum_of_powers<kOutputs, kRow, 0>(in);
  const Vector odd = sum_of_powers<kOutputs, kRow, 1>(in);
  out[kRow] = hn::Add(even, odd);
  out[kRow + 1] = hn::Sub(even, odd);
}

template <std::size_t kOutputs, std::size_t... kPairs>
HWY_INLINE void transform_gradient_pairs(const Vector* in, Vector* out, std::index_sequence<kPairs...>) {
  (transform_gradient_pair<kOutputs, kPairs>(in, out), ...);
}

/// out = A in: kOutputs to kInputs vectors. The result is the value of the polynomial with the coefficients
/// `in` at each point, and its last coefficient at infinity.
template <std::size_t kOutputs>
HWY_INLINE void transform_gradient(const Vector* in, Vector* out) {
  using Matrices = CookToom<kOutputs>;
  out[0] = in[0];
  transform_gradient_pairs<kOutputs>(in, out, std::make_index_sequence<Matrices::kPairs>());
  if constexpr (Matrices::kPoints % 2 == 0) {
    constexpr std::size_t kSingle = Matrices::kPoints - 1;
    out[kSingle] = hn::Add(sum_of_powers<kOutputs, kSingle, 0>(in), sum_of_powers<kOutputs, kSingle, 1>(in));
  }
  out[Matrices::kPoints] = in[kOutputs - 1];
}

}  // namespace HWY_NAMESPACE
}  // namespace headstart::winograd
HWY_AFTER_NAMESPACE();

#endif

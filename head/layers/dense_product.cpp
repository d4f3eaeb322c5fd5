// head/layers/dense_product.cpp: compiled once per instruction set by Highway's foreach_target, which
// includes this file again. Six rows by a panel of vectors stay in registers while A is broadcast: 10 loads
// for 24 multiply-adds with AVX-512's 32 registers. The last columns of B, if narrower than a vector, are
// copied into a panel padded with zeros.
#include "head/layers/dense_product.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "head/layers/dense_product.cpp"
#include <hwy/foreach_target.h>  // before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace headstart {
namespace HWY_NAMESPACE {  // NOLINT(readability-identifier-naming): Highway names one namespace per target

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::CappedTag<float, 16>;
using Vector = hn::Vec<Floats>;

constexpr std::size_t kInner = 256;  // a panel of B: at most 64 KiB
constexpr std::size_t kRows = 6;
constexpr std::size_t kVectors = HWY_TARGET <= HWY_AVX3 ? 4 : 2;  // 32 registers, or 16

// C[rows, vectors] += A[rows, inner] B[inner, vectors]. The number of rows is a compile-time constant, so
// that the sums stay in registers.
template <std::size_t kBlockRows, std::size_t kBlockVectors>
HWY_INLINE void add_block(const DenseProduct& p, const float* HWY_RESTRICT a, const float* HWY_RESTRICT b,
                          std::size_t b_row, std::size_t inner, float* HWY_RESTRICT c, std::size_t c_row) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  Vector sums[kBlockRows][kBlockVectors];
  for (std::size_t i = 0; i < kBlockRows; ++i) {
    for (std::size_t v = 0; v < kBlockVectors; ++v) sums[i][v] = hn::Zero(d);
  }
  for (std::size_t k = 0; k < inner; ++k) {
    Vector row[kBlockVectors];
    for (std::size_t v = 0; v < kBlockVectors; ++v) row[v] = hn::LoadU(d, b + k * b_row + v * lanes);
    for (std::size_t i = 0; i < kBlockRows; ++i) {
      const Vector x = hn::Set(d, a[i * p.a_row + k * p.a_column]);
      for (std::size_t v = 0; v < kBlockVectors; ++v) sums[i][v] = hn::MulAdd(x, row[v], sums[i][v]);
    }
  }
  for (std::size_t i = 0; i < kBlockRows; ++i) {
    for (std::size_t v = 0; v < kBlockVectors; ++v) {
      float* const to = c + i * c_row + v * lanes;
      hn::StoreU(hn::Add(hn::LoadU(d, to), sums[i][v]), d, to);
    }
  }
}

// All rows of one panel of columns, kBlockVectors vectors wide.
template <std::size_t kBlockVectors>
HWY_INLINE void add_panel(const DenseProduct& p, const float* a, const float* b, std::size_t b_row,
                          std::size_t inner, float* c, std::size_t c_row) {
  std::size_t i = 0;
  const auto block = [&]<std::size_t kBlockRows>() {
    add_block<kBlockRows, kBlockVectors>(p, a + i * p.a_row, b, b_row, inner, c + i * c_row, c_row);
    i += kBlockRows;
  };
  while (p.rows - i >= kRows) block.template operator()<kRows>();
  if (p.rows - i >= 4) block.template operator()<4>();
  if (p.rows - i >= 2) block.template operator()<2>();
  if (p.rows - i >= 1) block.template operator()<1>();
}

// The last columns, narrower than a vector: B and C go through buffers padded with zeros.
void add_narrow(const DenseProduct& p, const float* a, const float* b, std::size_t inner, float* c,
                std::size_t columns) {
  constexpr std::size_t kWidth = 16;
  constexpr std::size_t kRowsAtOnce = 96;  // a multiple of kRows
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  HWY_ALIGN float padded_b[kInner * kWidth];
  HWY_ALIGN float padded_c[kRowsAtOnce * kWidth];
  for (std::size_t k = 0; k < inner; ++k) {
    std::fill_n(std::copy_n(b + k * p.b_row, columns, padded_b + k * lanes), lanes - columns, 0.0F);
  }
  for (std::size_t first = 0; first < p.rows; first += kRowsAtOnce) {
    DenseProduct part = p;
    part.rows = std::min(kRowsAtOnce, p.rows - first);
    std::fill_n(padded_c, part.rows * lanes, 0.0F);
    add_panel<1>(part, a + first * p.a_row, padded_b, lanes, inner, padded_c, lanes);
    for (std::size_t i = 0; i < part.rows; ++i) {
      float* const to = c + (first + i) * p.c_row;
      for (std::size_t column = 0; column < columns; ++column) to[column] += padded_c[i * lanes + column];
    }
  }
}

void add_dense_product(const DenseProduct& p) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t k = 0; k < p.inner; k += kInner) {
    const std::size_t inner = p.inner - k < kInner ? p.inner - k : kInner;
    const float* const a = p.a + k * p.a_column;
    const float* const b = p.b + k * p.b_row;
    std::size_t column = 0;
    for (; column + kVectors * lanes <= p.columns; column += kVectors * lanes) {
      add_panel<kVectors>(p, a, b + column, p.b_row, inner, p.c + column, p.c_row);
    }
    for (; column + lanes <= p.columns; column += lanes) {
      add_panel<1>(p, a, b + column, p.b_row, inner, p.c + column, p.c_row);
    }
    if (column < p.columns) add_narrow(p, a, b + column, inner, p.c + column, p.columns - column);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace headstart
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace headstart {
namespace {

HWY_EXPORT(add_dense_product);

void check_shapes(Eigen::Index rows, Eigen::Index inner, const Matrix& b, const Matrix& c) {
  if (b.rows() == inner && c.rows() == rows && c.cols() == b.cols()) return;
  throw std::invalid_argument("dense product: " + std::to_string(rows) + " x " + std::to_string(inner) +
                              " times " + std::to_string(b.rows()) + " x " + std::to_string(b.cols()) +
                              " does not give " + std::to_string(c.rows()) + " x " +
                              std::to_string(c.cols()));
}

void add_view(const float* a, std::size_t a_row, std::size_t a_column, const Matrix& b, Matrix& c) {
  add_product({.a = a,
               .a_row = a_row,
               .a_column = a_column,
               .b = b.data(),
               .b_row = static_cast<std::size_t>(b.cols()),
               .c = c.data(),
               .c_row = static_cast<std::size_t>(c.cols()),
               .rows = static_cast<std::size_t>(c.rows()),
               .inner = static_cast<std::size_t>(b.rows()),
               .columns = static_cast<std::size_t>(c.cols())});
}

}  // namespace

void add_product(const DenseProduct& product) noexcept { HWY_DYNAMIC_DISPATCH(add_dense_product)(product); }

void add_product(const Matrix& a, const Matrix& b, Matrix& c) {
  check_shapes(a.rows(), a.cols(), b, c);
  add_view(a.data(), static_cast<std::size_t>(a.cols()), 1, b, c);
}

void add_transposed_product(const Matrix& a, const Matrix& b, Matrix& c) {
  check_shapes(a.cols(), a.rows(), b, c);
  add_view(a.data(), 1, static_cast<std::size_t>(a.cols()), b, c);
}

}  // namespace headstart
#endif  // HWY_ONCE

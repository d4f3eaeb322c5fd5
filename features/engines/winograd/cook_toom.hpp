// features/engines/winograd/cook_toom.hpp: the matrices of Winograd's F(m,3), which computes m outputs of a
// correlation with three taps from m + 2 products:
//   y = A^T [ (G g) * (B^T d) ],   d: m + 2 inputs, g: 3 taps, *: element by element.
// They come from the Toom-Cook construction over m + 1 points and infinity. It evaluates two polynomials at
// the points and multiplies the values; F(m,3) is this product, transposed. Winograd, Arithmetic Complexity
// of Computations (1980); Lavin and Gray, arXiv 1509.09308. In two dimensions each matrix is applied to
// columns and to rows: (m + 2)^2 products give m^2 outputs. Note: the points decide the accuracy. The points
// below have the least error of a search over multiples of 1/16. (Those for F(4,3) have 0.4 of the error of
// the usual 0, +-1, +-2.) All entries of A and B are exact in float32. Only G divides; it is applied to the
// weights once, in double.
#pragma once

#include <array>
#include <cstddef>

namespace headstart::winograd {

/// Smallest and largest m, the number of outputs of a tile in one dimension.
inline constexpr int kMinOutputs = 4;
inline constexpr int kMaxOutputs = 6;
inline constexpr int kMaxInputs = kMaxOutputs + 2;

/// F(m,3), m = kOutputs.
template <std::size_t kOutputs>
struct CookToom {
  static_assert(kOutputs >= kMinOutputs && kOutputs <= kMaxOutputs);
  static constexpr std::size_t kInputs = kOutputs + 2;
  static constexpr std::size_t kPoints = kOutputs + 1;  ///< finite points

  using Polynomial = std::array<double, kInputs>;  ///< coefficients by power, ascending

  /// Zero, then pairs that differ in sign. For an even number of points, one more without a partner.
  static constexpr std::size_t kPairs = (kPoints - 1) / 2;
  static constexpr std::array<double, kPoints> points() {
    if constexpr (kOutputs == 4) return {0.0, 0.625, -0.625, 1.5, -1.5};
    if constexpr (kOutputs == 5) return {0.0, 0.5, -0.5, 1.125, -1.125, 2.5};
    if constexpr (kOutputs == 6) return {0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5};
  }
  static constexpr std::array<double, kPoints> kPoint = points();

  static constexpr std::size_t kNone = kPoints;

  /// (x - a)(x - b)... over all points but two.
  static constexpr Polynomial product_without(std::size_t first, std::size_t second) {
    Polynomial product{1.0};
    for (std::size_t point = 0; point < kPoints; ++point) {
      if (point == first || point == second) continue;
      for (std::size_t power = kInputs; power-- > 0;) {
        product[power] = (power > 0 ? product[power - 1] : 0.0) - kPoint[point] * product[power];
      }
    }
    return product;
  }

  static constexpr std::array<Polynomial, kInputs> input_matrix() {
    std::array<Polynomial, kInputs> matrix{};
    for (std::size_t row = 0; row < kInputs; ++row) matrix[row] = product_without(row, kNone);
    return matrix;
  }

  static constexpr std::array<std::array<double, 3>, kInputs> kernel_matrix() {
    std::array<std::array<double, 3>, kInputs> matrix{};
    for (std::size_t row = 0; row < kPoints; ++row) {
      double divisor = 1.0;
      for (std::size_t other = 0; other < kPoints; ++other) {
        if (other != row) divisor *= kPoint[row] - kPoint[other];
      }
      matrix[row] = {1.0 / divisor, kPoint[row] / divisor, kPoint[row] * kPoint[row] / divisor};
    }
    matrix[kPoints] = {0.0, 0.0, 1.0};
    return matrix;
  }

  static constexpr std::array<std::array<double, kInputs>, kOutputs> output_matrix() {
    std::array<std::array<double, kInputs>, kOutputs> matrix{};
    for (std::size_t point = 0; point < kPoints; ++point) {
      double power = 1.0;
      for (std::size_t row = 0; row < kOutputs; ++row, power *= kPoint[point]) matrix[row][point] = power;
    }
    matrix[kOutputs - 1][kPoints] = 1.0;
    return matrix;
  }

  static constexpr std::array<Polynomial, kInputs> kInput = input_matrix();                      ///< B^T
  static constexpr std::array<std::array<double, 3>, kInputs> kKernel = kernel_matrix();         ///< G
  static constexpr std::array<std::array<double, kInputs>, kOutputs> kOutput = output_matrix();  ///< A^T
};

}  // namespace headstart::winograd

// head/representation/representation.hpp: turns cached activation maps into features: pooled over positions,
// then transformed. One cached extraction serves every combination. A trained head can take the transform
// into its first layer; then the head works on rows that are only pooled.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "head/matrix.hpp"
#include "head/training/trainer.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// How the positions of a map are pooled.
enum class Pooling {
  kFlatten,  ///< every (position, channel) is a feature, as with Keras's Flatten
  kAverage,  ///< one feature for each channel: its mean, as with GlobalAveragePooling2D
  kMaximum,  ///< one feature for each channel: its largest value, as with GlobalMaxPooling2D
};

/// How a row x is scaled after pooling.
enum class Transform {
  kNone,
  /// x / max(|x|, 1e-12), as Keras 3's UnitNormalization; a row of zeros stays zero. (Keras 2 uses 1e-6.)
  kUnit,
  kScale,  ///< x times one number for all rows: 1 / sqrt(mean |x|^2 over the training rows)
  /// (x - mean) / sigma for each feature, over the training rows. sigma has n in its denominator, and is at
  /// least a tenth of its median over the features. Where that median is zero, it is taken over the features
  /// that vary. Where no feature varies, sigma is 1.
  kStandardize,
};

/// The steps that turn a map into the input of the first dense layer.
struct Representation {
  Pooling pooling = Pooling::kFlatten;
  Transform transform = Transform::kNone;
  bool operator==(const Representation&) const = default;
};

/// The word for it on the command line and in files.
[[nodiscard]] constexpr std::string_view to_string(Pooling pooling) noexcept {
  switch (pooling) {
    case Pooling::kFlatten:
      return "flatten";
    case Pooling::kAverage:
      return "avg";
    case Pooling::kMaximum:
      return "max";
  }
  return {};
}

/// The word for it on the command line and in files.
[[nodiscard]] constexpr std::string_view to_string(Transform transform) noexcept {
  switch (transform) {
    case Transform::kNone:
      return "none";
    case Transform::kUnit:
      return "unit";
    case Transform::kScale:
      return "scale";
    case Transform::kStandardize:
      return "standardize";
  }
  return {};
}

/// The number of features of a pooled row.
/// @param columns  of the map: positions * channels
[[nodiscard]] std::int64_t pooled_columns(Pooling pooling, std::int64_t columns,
                                          std::int64_t channels) noexcept;

/// Pools each row. kFlatten only copies.
/// @param maps      rows of (position, channel), channels fastest: columns = positions * channels
/// @param threads   0: all that the process may use; the result doesn't depend on it
/// @return [maps.rows(), pooled_columns()]
/// @throws std::invalid_argument if the number of columns is not a multiple of `channels`
[[nodiscard]] SparseRows pool(const SparseRowsView& maps, std::int64_t channels, Pooling pooling,
                              int threads);

/// The epsilon of Keras 3's UnitNormalization: no row is divided by less.
inline constexpr double kLeastNorm = 1e-12;
/// |x|, in double.
[[nodiscard]] double norm_of(std::span<const float> row) noexcept;

/// A transform with its values from the training rows. Fields of other transforms keep the values below.
struct FittedTransform {
  Transform transform = Transform::kNone;
  float scale = 1.0F;  ///< kScale; 1 where every training row is zero
  /// kStandardize: [columns]. In double, because it nearly cancels rows that hardly vary.
  Eigen::RowVectorXd mean;
  RowVector inverse_deviation;  ///< kStandardize: [columns], 1 / sigma, with the lower bound of sigma
};

/// @param training  rows of `pooled`; other rows are not read
/// @throws std::invalid_argument if a row does not exist, or if there is no row and the transform needs some
[[nodiscard]] FittedTransform fit_transform(Transform transform, const SparseRowsView& pooled,
                                            std::span<const RowIndex> training);

/// Transforms each row. kStandardize leaves few zeros: columns * 8 bytes a row.
/// @throws std::invalid_argument if the number of columns differs from that of the fit
[[nodiscard]] SparseRows apply(const FittedTransform& fitted, const SparseRowsView& rows);
/// Transforms in the memory of `rows`, except with kStandardize.
[[nodiscard]] SparseRows apply(const FittedTransform& fitted, SparseRows&& rows);

/// The fit of kScale to training rows with this mean |x|^2.
[[nodiscard]] FittedTransform fit_scale(double mean_squared_norm);

/// Sum of |x|^2 over the rows `which`, in double. @throws std::invalid_argument for a row that does not exist
[[nodiscard]] double sum_of_squares(const SparseRowsView& rows, std::span<const RowIndex> which);

/// Mean of |x|^2 over the rows `which`. Learning rate times this mean has the same effect in every
/// representation.
/// @throws std::invalid_argument if `which` is empty or has a row that does not exist
[[nodiscard]] double mean_squared_norm(const SparseRowsView& rows, std::span<const RowIndex> which);

/// Takes kScale and kStandardize into the first layer. The result computes from untransformed rows what
/// `head` computes from transformed rows. With kNone and with kUnit, which is not linear, the result is
/// `head` itself.
/// @throws std::invalid_argument if `head` has no layer, or another number of columns than the fit
[[nodiscard]] Head fold_into_first_layer(Head head, const FittedTransform& fitted);
/// The inverse of fold_into_first_layer(), except for rounding: the result computes from transformed rows
/// what `head` computes from untransformed rows.
/// @throws as fold_into_first_layer()
[[nodiscard]] Head unfold_from_first_layer(Head head, const FittedTransform& fitted);

}  // namespace headstart

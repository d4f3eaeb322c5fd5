// head/representation.hpp: from cached activation maps to what the first layer trains on: pooled over
// positions, then transformed. One cached extraction serves every combination, and a trained head can take
// the transform into its first layer, so that it works on rows as they were pooled.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "head/feature_matrix.hpp"
#include "head/feature_rows.hpp"
#include "head/matrix.hpp"
#include "head/trainer.hpp"

namespace headstart {

/// What becomes of a map's positions.
enum class Pooling {
  kFlatten,  ///< every (position, channel) is a feature, as Keras's Flatten
  kAverage,  ///< a feature for each channel: its mean, as GlobalAveragePooling2D
  kMaximum,  ///< a feature for each channel: its largest value, as GlobalMaxPooling2D
};

/// What is done to a row x after pooling.
enum class Transform {
  kNone,
  /// x / max(|x|, 1e-12), as Keras 3's UnitNormalization; a row of zeros stays. (Keras 2 floors |x| at 1e-6.)
  kUnit,
  kScale,  ///< x times one number for all: 1 / sqrt(mean |x|^2 over the training rows)
  /// (x - mean) / sigma for each feature over the training rows; sigma has n in its denominator and is no
  /// less than a tenth of its median over the features. Where that median is zero, it is taken over the
  /// features that vary; where none varies, sigma is 1.
  kStandardize,
};

/// What a map becomes before the first dense layer.
struct Representation {
  Pooling pooling = Pooling::kFlatten;
  Transform transform = Transform::kNone;
  bool operator==(const Representation&) const = default;
};

/// "flatten", "avg", "max".
[[nodiscard]] std::string_view to_string(Pooling pooling) noexcept;
/// The pooling of that name; nothing if there is none.
[[nodiscard]] std::optional<Pooling> parse_pooling(std::string_view name) noexcept;

/// "none", "unit", "scale", "standardize".
[[nodiscard]] std::string_view to_string(Transform transform) noexcept;
/// The transform of that name; nothing if there is none.
[[nodiscard]] std::optional<Transform> parse_transform(std::string_view name) noexcept;

/// Pools each row. kFlatten copies.
/// @param maps      rows of (position, channel), channels fastest: columns = positions * channels
/// @param threads   0: all that the process may use; the result doesn't depend on it
/// @return [maps.rows(), channels], or a copy of `maps`
/// @throws std::invalid_argument if the columns are no multiple of `channels`
[[nodiscard]] FeatureMatrix pool(const FeatureRows& maps, std::int64_t channels, Pooling pooling,
                                 int threads);

/// A transform with what it took from the training rows. The fields of other transforms are left as they are
/// here.
struct FittedTransform {
  Transform transform = Transform::kNone;
  float scale = 1.0F;  ///< kScale; 1 where every training row is zero
  /// kStandardize: [columns]. In double, as rows that hardly vary are all but cancelled by it.
  Eigen::RowVectorXd mean;
  RowVector inverse_deviation;  ///< kStandardize: [columns], 1 / sigma with its floor
};

/// @param training  rows of `pooled`, the only ones that are looked at
/// @throws std::invalid_argument if a row does not exist, or there is none and the transform needs some
[[nodiscard]] FittedTransform fit_transform(Transform transform, const FeatureRows& pooled,
                                            std::span<const RowIndex> training);

/// Transforms each row. kStandardize leaves few zeros: columns * 8 bytes a row.
/// @throws std::invalid_argument if the columns are not those of the fit
[[nodiscard]] FeatureMatrix apply(const FittedTransform& fitted, const FeatureRows& rows);
/// The same in the memory of `rows`, but for kStandardize.
[[nodiscard]] FeatureMatrix apply(const FittedTransform& fitted, FeatureMatrix&& rows);

/// kScale for training rows of this mean |x|^2.
[[nodiscard]] FittedTransform fit_scale(double mean_squared_norm);

/// Sum of |x|^2 over `which`, in double. @throws std::invalid_argument for a row that does not exist
[[nodiscard]] double sum_of_squares(const FeatureRows& rows, std::span<const RowIndex> which);

/// Mean of |x|^2 over `which`: a learning rate times this means the same for every representation.
/// @throws std::invalid_argument if `which` is empty or has a row that does not exist
[[nodiscard]] double mean_squared_norm(const FeatureRows& rows, std::span<const RowIndex> which);

/// Takes kScale and kStandardize into the first layer: what `head` computes of transformed rows, the result
/// computes of untransformed ones. With kNone and kUnit, which is no linear map, `head` comes back as it is.
/// @throws std::invalid_argument if `head` has no layer, or takes other columns than those of the fit
[[nodiscard]] Head fold_into_first_layer(Head head, const FittedTransform& fitted);
/// The way back, but for rounding: what `head` computes of untransformed rows, the result computes of
/// transformed ones. @throws as fold_into_first_layer()
[[nodiscard]] Head unfold_from_first_layer(Head head, const FittedTransform& fitted);

}  // namespace headstart

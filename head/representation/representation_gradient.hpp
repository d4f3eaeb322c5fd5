// head/representation/representation_gradient.hpp: backpropagation through apply() and pool(), for maps that
// are trained.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "head/representation/representation.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// dLoss/dmaps at the entries of `maps`. The gradient is not computed elsewhere: maps come out of a ReLU,
/// whose gradient is zero where the map is zero. Of equal maxima the first one gets the whole gradient, as in
/// TensorFlow.
/// @param maps      non-negative rows of (position, channel), channels fastest
/// @param pooled    pool(maps, channels, pooling)
/// @param fitted    the transform that was applied to `pooled`
/// @param rows      apply(fitted, pooled)
/// @param gradient  dLoss/drows, one value for each entry of `rows`, row after row
/// @return one value for each entry of `maps`, row after row
/// @throws std::invalid_argument if the shapes disagree
[[nodiscard]] std::vector<float> representation_gradient(const SparseRowsView& maps,
                                                         const SparseRowsView& pooled,
                                                         const FittedTransform& fitted, Pooling pooling,
                                                         const SparseRowsView& rows,
                                                         std::span<const float> gradient);

}  // namespace headstart

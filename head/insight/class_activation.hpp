// head/insight/class_activation.hpp: shows which parts of an image led to a class: Grad-CAM (Selvaraju et al.
// 2017, arXiv 1610.02391) on the cached maps that the head was trained on.
//   alpha_k = mean over positions of d logit_c / d map_k;   L = ReLU(sum_k alpha_k map_k)
#pragma once

#include <cstdint>
#include <span>

#include "head/matrix.hpp"
#include "head/representation/representation.hpp"
#include "head/training/trainer.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// @param maps            rows of (position, channel), channels fastest
/// @param representation  of the model; its head already contains scale and standardize, but not unit
/// @param head            takes pooled rows, at length one where the transform is unit
/// @param classes         [maps.rows()]: the class c of each row
/// @return [maps.rows(), positions]: L, zero or more, not scaled
/// @throws std::invalid_argument if the shapes disagree or a class does not exist
[[nodiscard]] Matrix class_activation_maps(const SparseRowsView& maps, std::int64_t channels,
                                           const Representation& representation, const Head& head,
                                           std::span<const std::int32_t> classes, int threads);

}  // namespace headstart

// pipeline/represented_rows.hpp: cached activations to the rows that a head trains on, and that a saved
// model's first Dense layer takes. The two differ where a transform is folded into that layer, so both come
// from here.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "features/csr_rows.hpp"
#include "features/extractor_configuration.hpp"
#include "features/vgg16.hpp"
#include "head/feature_matrix.hpp"
#include "head/representation.hpp"

namespace headstart {

/// What the first Dense layer of a saved model takes: `cached` pooled, and of length one where the transform
/// is unit. scale and standardize are in the layer's weights. Without pooling `cached` is moved, not copied.
/// @param cached  activations of `tap` under `configuration`
[[nodiscard]] FeatureMatrix model_rows(CsrRows cached, const ExtractorConfiguration& configuration, Tap tap,
                                       const Representation& representation);

/// What lies between model_rows() and what a head trains on, fitted to the rows `training` of `rows`: scale
/// or standardize; for the other transforms there is nothing left to do, and the result changes nothing.
[[nodiscard]] FittedTransform fit_folded_transform(const Representation& representation,
                                                   const FeatureRows& rows,
                                                   std::span<const RowIndex> training);

/// The rows of one training run.
struct RepresentedRows {
  FeatureMatrix model;                       ///< model_rows()
  FittedTransform fitted;                    ///< fit_folded_transform(); for fold_into_first_layer()
  std::optional<FeatureMatrix> transformed;  ///< `model` after `fitted`, where that changes anything

  /// What train_head() gets.
  [[nodiscard]] FeatureRows training() const { return transformed ? transformed->view() : model.view(); }
};

/// @param training  the rows that scale and standardize are fitted to
[[nodiscard]] RepresentedRows represent(CsrRows cached, const ExtractorConfiguration& configuration, Tap tap,
                                        const Representation& representation,
                                        std::span<const RowIndex> training);

}  // namespace headstart

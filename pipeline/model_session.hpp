// pipeline/model_session.hpp: a saved model at work: its stage one, set up exactly as in training.
#pragma once

#include <filesystem>
#include <span>

#include "data/sha256.hpp"
#include "head/matrix.hpp"
#include "pipeline/model_file.hpp"
#include "pipeline/stage_one.hpp"
#include "pipeline/stage_one_options.hpp"

namespace headstart {

/// Options with everything that a feature's value depends on taken from the model: predict can't differ from
/// train.
[[nodiscard]] StageOneOptions options_of(const Model& model, StageOneOptions options);

/// Logits of the images with these contents, [keys.size(), classes]; their rows are in the cache.
[[nodiscard]] Matrix predict(const Model& model, StageOne& stage_one, std::span<const Sha256> keys);

/// The same of images with views (none of them rejected): the logarithm of the probabilities' mean over the
/// image and its views, so that softmax gives the mean. Without views just the logits. Takes no more memory
/// with views than without. A view that has no row is left out.
[[nodiscard]] Matrix predict_with_views(const Model& model, StageOne& stage_one,
                                        std::span<const ImageResult* const> images);

}  // namespace headstart

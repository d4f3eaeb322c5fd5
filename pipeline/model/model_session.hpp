// pipeline/model/model_session.hpp: runs a saved model, with its stage one set up exactly as in training.
#pragma once

#include <filesystem>
#include <span>

#include "data/sha256.hpp"
#include "head/matrix.hpp"
#include "pipeline/model/model_file.hpp"
#include "pipeline/options/stage_one_options.hpp"
#include "pipeline/rows/stage_one.hpp"

namespace headstart {

/// `options` with every setting that changes a feature's value taken from the model, so that predict can't
/// differ from train.
[[nodiscard]] StageOneOptions options_of(const Model& model, StageOneOptions options);

/// Logits of the images with these digests, [keys.size(), classes]; their rows are in the cache.
[[nodiscard]] Matrix predict(const Model& model, StageOne& stage_one, std::span<const Sha256> keys);

/// Logits of images with views (none of the images rejected). The result is the logarithm of the mean
/// probabilities over the image and its views, so that softmax gives this mean. Without views the result is
/// the plain logits. Views take no additional memory. A view without a row is left out.
[[nodiscard]] Matrix predict_with_views(const Model& model, StageOne& stage_one,
                                        std::span<const ImageResult* const> images);

}  // namespace headstart

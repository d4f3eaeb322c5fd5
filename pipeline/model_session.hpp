// pipeline/model_session.hpp: a saved model at work: its stage one, set up exactly as in training.
#pragma once

#include <filesystem>
#include <span>

#include "data/sha256.hpp"
#include "head/matrix.hpp"
#include "pipeline/model_file.hpp"
#include "pipeline/options.hpp"
#include "pipeline/stage_one.hpp"

namespace headstart {

/// Options with everything that a feature's value depends on taken from the model: predict can't differ from
/// train.
[[nodiscard]] StageOneOptions options_of(const Model& model, StageOneOptions options);

/// Logits of the images with these contents, [keys.size(), classes]; their rows are in the cache.
[[nodiscard]] Matrix predict(const Head& head, const StageOne& stage_one, std::span<const Sha256> keys);

}  // namespace headstart

// pipeline/model/keras_model.hpp: a model as Keras loads it, in the legacy HDF5 layout of layers and weights.
// model.h5 is such a file, and so is the result of `headstart export --to keras`.
#pragma once

#include <filesystem>

#include "features/hdf5/hdf5.hpp"
#include "pipeline/model/model_file.hpp"
#include "pipeline/model/rgb_input.hpp"

namespace headstart {

/// Writes the attributes and the group model_weights to an open file, which borrows the weights of `model`
/// and `input`.
/// @param input  null: the model takes preprocessed pixels, as model.h5 does; else it takes RGB pixels, which
/// a layer Rescaling preprocesses
void write_keras_model(hdf5::LendingFile& file, const Model& model, const RgbInput* input = nullptr);

/// Writes `model` as a Keras model from RGB pixels in 0..255, float32 [N, S, S, 3], to probabilities. The
/// dataset headstart/class_names holds a JSON array. The file is written as a whole or not at all; an
/// existing file is replaced.
/// @throws Error kFailed if the file can't be written
void write_keras_model_on_rgb(const Model& model, const std::filesystem::path& path);

}  // namespace headstart

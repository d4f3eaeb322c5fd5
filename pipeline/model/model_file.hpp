// pipeline/model/model_file.hpp: model.h5: a legacy Keras HDF5 model (Keras 2 and 3 load it) and headstart's
// own group. The model is a flat Sequential: InputLayer, the network's layers up to the tap, Flatten or a
// global pooling, UnitNormalization where chosen, Dense ... . Keras ignores the group headstart. The group
// describes how images become the model's input, so that predict can't differ from train.
#pragma once

#include <cstdint>
#include <filesystem>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "data/sha256.hpp"
#include "features/cache/extractor_configuration.hpp"
#include "features/network/known_networks.hpp"
#include "features/network/weights.hpp"
#include "head/representation/representation.hpp"
#include "head/training/trainer.hpp"

namespace headstart {

/// The images that trained and the images that validated, so that a later training can keep them apart.
struct SplitRecord {
  std::uint64_t seed = 0;
  double validation = 0.2;  ///< share of each class, where the dataset had no split
  Sha256 rows;              ///< rows_digest() of the dataset
};

/// How the head was trained. The record becomes Keras's training_config and regularizers, so that training
/// can go on in Keras.
struct TrainingRecord {
  TrainingOptions options{};  ///< those that are described as recorded; the others have their defaults
  double temperature = 1.0;   ///< the last layer is already divided by it; only a record
  int views = 0;              ///< of each training image, besides the image itself
  /// The penalty in reported losses: l2 * sum of squares of the weights matrices before a transform was
  /// folded into the first one.
  double penalty = 0.0;
  std::optional<SplitRecord> split{};  ///< empty in models before 2026-11-25
};

/// The record of a training with `options`: its recorded ones, without views, split and temperature.
/// @param penalty  l2_penalty() of the head as it was trained
[[nodiscard]] TrainingRecord record_of(const TrainingOptions& options, double penalty);

/// The whole way from an image file to probabilities.
struct Model {
  /// Layers above the tap may be empty.
  NetworkWeights weights = empty_weights(vgg16());
  ExtractorConfiguration configuration;  ///< as it was in training; of the same network
  Tap tap = vgg16().default_tap;
  Representation representation;
  /// The fitted transform of the representation; scale and standardize are folded into `head`. kNone in
  /// models before 2026-11-25, which did not keep these two transforms' values from the training rows.
  FittedTransform fitted;
  /// Convolutions from this VGG block on were fine-tuned; 0: none.
  int tuned_from_block = 0;
  /// Takes pooled rows, at length one if the transform is unit. The head contains scale and standardize.
  Head head;
  std::vector<std::string> classes;
  TrainingRecord training;
};

/// Writes `model` to a new file; equal models give identical files. Dense kernels are (in, out), convolution
/// kernels (row, column, in, out).
/// @throws Error kFailed, e.g. when the disk is full
void write_model(const Model& model, const std::filesystem::path& file);

/// Runs write_model() on another thread, which uses no HDF5. `model` has to outlive the writing; get() throws
/// the errors of write_model().
[[nodiscard]] std::future<void> start_writing_model(const Model& model, const std::filesystem::path& file);
std::future<void> start_writing_model(Model&&, const std::filesystem::path&) = delete;

/// Reads a file of write_model(). `weights.identity` is that of the configuration if the file can prove it,
/// because rows are published under it. The file cannot prove it for a lower tap with the lower part of other
/// weights than the embedded ones; then `weights.identity` is that of the part.
/// @throws Error kFailed with file and object: not HDF5, not headstart's, shapes that do not fit each other,
/// values that are not finite, weights that are not those of the configuration
[[nodiscard]] Model read_model(const std::filesystem::path& file);

}  // namespace headstart

// pipeline/model_file.hpp: model.h5: a legacy Keras HDF5 model (Keras 2 and 3 load it) with headstart's own
// group beside it. A flat Sequential: InputLayer, VGG16's layers up to the tap, Flatten or a global pooling,
// UnitNormalization where chosen, Dense ... ; the group headstart, which Keras ignores, says how images
// become its input, so that predict can't differ from train.
#pragma once

#include <cstdint>
#include <filesystem>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "data/sha256.hpp"
#include "features/extractor_configuration.hpp"
#include "features/vgg16.hpp"
#include "features/weights.hpp"
#include "head/representation.hpp"
#include "head/trainer.hpp"

namespace headstart {

/// Which images trained and which validated, so that who goes on from a model can keep them apart.
struct SplitRecord {
  std::uint64_t seed = 0;
  double validation = 0.2;  ///< share of each class, where the dataset gave no split
  Sha256 rows;              ///< rows_digest() of the dataset
};

/// How the head was trained; becomes Keras's training_config and regularizers, so that training can go on in
/// Keras.
struct TrainingRecord {
  double learning_rate = 0.001;
  double momentum = 0.9;
  bool nesterov = false;
  double l2 = 0.0;
  double label_smoothing = 0.0;
  double temperature = 1.0;  ///< what the last layer is divided by already; for the record
  int views = 0;             ///< of each training image, beside the image itself
  /// What reported losses include: l2 * sum of squares of the kernels as they were trained, before a
  /// transform was folded into the first.
  double penalty = 0.0;
  std::optional<SplitRecord> split{};  ///< models before 2026-11-25 have none
};

/// What training with `options` leaves in the record; views, split and temperature are not theirs.
/// @param penalty  l2_penalty() of the head as it was trained
[[nodiscard]] TrainingRecord record_of(const TrainingOptions& options, double penalty);

/// From image file to probabilities, whole.
struct Model {
  Vgg16Weights weights;                  ///< layers above the tap's block may be empty
  ExtractorConfiguration configuration;  ///< as it was in training
  Tap tap = Tap::kBlock5Pool;
  Representation representation;
  /// The representation's transform as it was fitted; scale and standardize are folded into `head`. kNone in
  /// models before 2026-11-25, which did not keep what these two took from the training rows.
  FittedTransform fitted;
  /// Convolutions from this block on were fine-tuned; 0: none.
  int tuned_from_block = 0;
  Head head;  ///< takes pooled rows, unit rows where the transform is unit; scale and standardize are in it
  std::vector<std::string> classes;
  TrainingRecord training;
};

/// Writes `model` to a new file; equal models give equal bytes. Dense kernels are (in, out), convolution
/// kernels (row, column, in, out). @throws Error kFailed, e.g. when the disk is full
void write_model(const Model& model, const std::filesystem::path& file);

/// The same on another thread, which uses no HDF5. `model` has to outlive the writing; get() throws what
/// write_model() would.
[[nodiscard]] std::future<void> start_writing_model(const Model& model, const std::filesystem::path& file);
std::future<void> start_writing_model(Model&&, const std::filesystem::path&) = delete;

/// Reads what write_model wrote. `weights.identity` is the configuration's where the file can show it, as
/// rows are published under it; else, with a lower tap's part of other weights than the embedded ones, it is
/// that of the part.
/// @throws Error kFailed naming file and object: not HDF5, not headstart's, shapes that do not fit each
/// other, values that are not finite, weights that are not those of the configuration
[[nodiscard]] Model read_model(const std::filesystem::path& file);

}  // namespace headstart

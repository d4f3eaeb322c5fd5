// pipeline/run/run_output.hpp: the output of train and finetune, made from the same parts: the files of OUT,
// and the table on stdout.
#pragma once

#include <filesystem>
#include <functional>
#include <future>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/sha256.hpp"
#include "head/matrix.hpp"
#include "head/representation/representation.hpp"
#include "head/training/trainer.hpp"
#include "pipeline/model/model_file.hpp"
#include "pipeline/report/metrics_json.hpp"
#include "pipeline/report/report.hpp"
#include "pipeline/rows/extracted_dataset.hpp"
#include "pipeline/rows/stage_one.hpp"
#include "pipeline/run/split_rows.hpp"

namespace headstart {

/// A split with its predictions.
struct Evaluated {
  std::string name;                  ///< "training", "validation", "test"
  std::vector<std::size_t> samples;  ///< positions in the manifest's samples
  Matrix logits;
  SplitMetrics metrics;
};

/// The split of that name; null if there is none.
[[nodiscard]] const Evaluated* find_split(const std::vector<Evaluated>& splits, std::string_view name);

/// Every split that has images.
/// @param training  the rows of images, without those of views
/// @param logits    computes the logits of rows, in order
/// @param penalty   the penalty in reported losses
[[nodiscard]] std::vector<Evaluated> evaluate_splits(
    const ExtractedDataset& dataset, const SplitRows& rows, std::span<const RowIndex> training,
    const std::function<Matrix(std::span<const RowIndex>)>& logits, double penalty);

/// Warns of a head that is worse on its training images than an untrained head that gives every class the
/// same probability. The numbers of such a head are finite but useless.
/// @param penalty  the penalty of the untrained head
void warn_of_absurd_loss(const std::vector<Evaluated>& splits, int classes, double penalty, Console& console);

/// Where a run's features come from, for the user.
struct FeatureOrigin {
  std::string name;         ///< of the dataset, or of the features file
  std::string stage_one;    ///< "393 images in 25.1 s (15.7 images/s): ..."
  std::string engine;       ///< of the run; "none" where no network can have run
  std::string network;      ///< the engine's full name, or the reason why there was none
  Sha256 weights_identity;  ///< of the network that computed the features
  std::string place;        ///< the cache's folder, or the file
};

[[nodiscard]] FeatureOrigin origin_of(const std::filesystem::path& dataset_path,
                                      const ExtractedDataset& dataset, const StageOne& stage_one);

/// A training run that has ended.
struct EndedRun {
  const FeatureOrigin& origin;
  const ExtractedDataset& dataset;
  const std::vector<Evaluated>& splits;
  const TrainingResult& result;
  const Model& model;
  const TrainingOptions& training;
  double train_seconds = 0.0;
};

/// {train, validation, test}: the part of metrics.json about those splits that have images.
[[nodiscard]] nlohmann::ordered_json to_json(const std::vector<Evaluated>& splits,
                                             const std::vector<std::string>& classes);

/// The part of metrics.json that every run has.
[[nodiscard]] nlohmann::ordered_json metrics_json(const EndedRun& run);

/// Writes all files that are made from `run`, `metrics` and `report`, and config.toml. Waits for
/// `model_file`, the result of start_writing_model().
/// @param top_k  RunOptions::top_k
void write_run(const std::filesystem::path& folder, const EndedRun& run, std::future<void> model_file,
               const nlohmann::ordered_json& metrics, const Report& report, const std::string& config,
               int top_k);

/// The table of the splits' metrics.
[[nodiscard]] std::string splits_table(const std::vector<Evaluated>& splits);

}  // namespace headstart

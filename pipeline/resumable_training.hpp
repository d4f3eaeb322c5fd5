// pipeline/resumable_training.hpp: train_head() as the train command runs it: it tells its epochs, stops at
// Ctrl-C, and keeps a checkpoint beside OUT (OUT.checkpoint) from which --resume goes on to the same bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "head/trainer.hpp"
#include "pipeline/checkpoint.hpp"
#include "pipeline/options.hpp"
#include "pipeline/output_folder.hpp"

namespace headstart {

/// What a checkpoint must agree with: `facts` (what the data are), and every key of the resolved options
/// that can change the result. Options that only say where things are or how fast they go do not count; one
/// that is new counts until it is named here.
/// @param config  TrainOptions::config
[[nodiscard]] RunIdentity identity_of(const RunIdentity& facts, const Config& config);

/// A training run as this sees it.
struct ResumableRun {
  int epochs = 0;
  Solver asked = Solver::kAuto;
  Solver choice = Solver::kPrimal;       ///< what kAuto stands for
  std::uint64_t largest_checkpoint = 0;  ///< bytes; a larger file is none of this run's
  bool resume = false;
  double checkpoint_seconds = 30.0;
  std::function<TrainingResult(Solver solver, const TrainingHooks& hooks, const TrainingState* resume)> train;
};

/// More bytes than a checkpoint of a head can have: three matrices of either solver, twice for padding, the
/// layers above three times, and a header.
/// @param inputs  of the first layer; with the gram solver in play, and the rows
[[nodiscard]] std::uint64_t largest_checkpoint(std::uint64_t inputs, const TrainingOptions& options,
                                               int classes);

/// Trains, from OUT's checkpoint if there is one and `run.resume` asks for it. A checkpoint is written at
/// the end of an epoch once run.checkpoint_seconds have passed since the last; one that can't be written,
/// or read, costs a warning and no more. Of processes that train together one writes it and all read it.
/// @param identity  identity_of()
/// @throws Error kUsage if the checkpoint is of another run; kFailed if training diverges; whatever else ends
/// the training, as it was thrown
/// @throws Interrupted after a checkpoint, or in the middle of a long epoch
[[nodiscard]] TrainingResult train_resumably(const ResumableRun& run, const RunIdentity& identity,
                                             OutputFolder& out, const Session& session);

/// train_head() in this way.
/// @param data  must fit `training`
[[nodiscard]] TrainingResult train_resumably(const TrainingData& data, TrainingOptions training,
                                             const TrainOptions& options, const RunIdentity& identity,
                                             OutputFolder& out, const Session& session);

/// Removes OUT's checkpoint, whose run is published.
void forget_checkpoint(const OutputFolder& out) noexcept;

}  // namespace headstart

// pipeline/run/resumable_training.hpp: train_head() for the train command. train_resumably() prints each
// epoch and stops at Ctrl-C. The run keeps a checkpoint beside OUT (OUT.checkpoint), from which --resume goes
// on to exactly the same result.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "head/training/trainer.hpp"
#include "pipeline/options/training_options.hpp"
#include "pipeline/process/session.hpp"
#include "pipeline/run/checkpoint.hpp"
#include "pipeline/run/output_folder.hpp"

namespace headstart {

/// A training run as train_resumably() takes it.
struct ResumableRun {
  int epochs = 0;
  Solver asked = Solver::kAuto;
  Solver choice = Solver::kPrimal;  ///< the solver that kAuto stands for
  /// Bytes; a larger file is not a checkpoint of this run.
  std::uint64_t largest_checkpoint = 0;
  bool resume = false;
  double checkpoint_seconds = 30.0;
  RunIdentity presets{};  ///< the values of options that a checkpoint of an earlier version does not have
  int epochs_a_line = 1;  ///< of the console; with --verbose each epoch has a line
  std::function<TrainingResult(Solver solver, const TrainingHooks& hooks, const TrainingState* resume)> train;
};

/// An upper bound of the bytes of a head's checkpoint: three matrices of either solver, doubled for padding;
/// the layers above, three times; a header.
/// @param inputs  the inputs of the first layer; if the gram solver is possible, plus the rows
[[nodiscard]] std::uint64_t largest_checkpoint(std::uint64_t inputs, const TrainingOptions& options,
                                               int classes);

/// Trains. Goes on from OUT's checkpoint if it exists and `run.resume` is set. At the end of an epoch a
/// checkpoint is written if run.checkpoint_seconds have passed since the last one. A checkpoint that can't be
/// written or read only causes a warning. Of processes that train together, one writes the checkpoint and all
/// read it.
/// @param identity  identity_of()
/// @throws Error kUsage if the checkpoint is of another run; kFailed if training diverges; other exceptions
/// of the training, unchanged
/// @throws Interrupted after a checkpoint, or in the middle of a long epoch
[[nodiscard]] TrainingResult train_resumably(const ResumableRun& run, const RunIdentity& identity,
                                             OutputFolder& out, const Session& session);

/// Runs train_head() in this way.
/// @param data  must fit `training`
[[nodiscard]] TrainingResult train_resumably(const TrainingData& data, TrainingOptions training,
                                             const TrainOptions& options, const RunIdentity& identity,
                                             OutputFolder& out, const Session& session);

/// Removes OUT's checkpoint after its run is published.
void forget_checkpoint(const OutputFolder& out) noexcept;

}  // namespace headstart

// pipeline/run/resumable_training.cpp
#include "pipeline/run/resumable_training.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <system_error>
#include <utility>
#include <variant>

#include "data/error.hpp"
#include "head/divergence.hpp"
#include "head/layers/column_slab.hpp"
#include "pipeline/process/interrupt.hpp"
#include "pipeline/run/run_config.hpp"

namespace headstart {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kName = "checkpoint";
// After Ctrl-C; an epoch that takes longer is not finished.
constexpr std::chrono::milliseconds kToEndAnEpoch{1000};
constexpr int kLinesAfterASearch = 12;  // its curves are in the report

std::string epoch_line(const EpochResult& epoch, int epochs) {
  std::string line = fmt::format("epoch {}/{}: loss {:.4f}, accuracy {:.4f}", epoch.epoch + 1, epochs,
                                 epoch.loss, epoch.accuracy);
  if (epoch.val_loss && epoch.val_accuracy) {
    line += fmt::format("; validation loss {:.4f}, accuracy {:.4f}", *epoch.val_loss, *epoch.val_accuracy);
  }
  return line + (epoch.seconds < 0.1 ? fmt::format("; {:.1f} ms", 1e3 * epoch.seconds)
                                     : fmt::format("; {:.2f} s", epoch.seconds));
}

/// Writes checkpoints when they are due.
class Saver {
 public:
  Saver(OutputFolder& out, const RunIdentity& identity, Solver solver, double seconds, Console& console)
      : out_(out), identity_(identity), solver_(solver), seconds_(seconds), console_(console) {}

  [[nodiscard]] bool due(bool stopping) const {
    const std::chrono::duration<double> passed = Clock::now() - last_;
    return stopping || passed.count() >= seconds_;
  }

  void save(const TrainingState& state) {
    const Finishing finishing;
    try {
      write_checkpoint(out_.staging() / kName, identity_, solver_, state);
      out_.publish_beside(kName);
      saved_ = state.history.size();
    } catch (const Error& error) {
      std::error_code ignored;  // an incomplete checkpoint must not be published with OUT
      std::filesystem::remove(out_.staging() / kName, ignored);
      if (!std::exchange(warned_, true))
        console_.warn(fmt::format("no checkpoint: {}; training goes on", error.what()));
    }
    last_ = Clock::now();
  }

  /// The number of epochs in the newest checkpoint; 0: none was written.
  [[nodiscard]] std::size_t saved() const noexcept { return saved_; }

 private:
  OutputFolder& out_;
  const RunIdentity& identity_;
  Solver solver_;
  double seconds_;
  Console& console_;
  Clock::time_point last_ = Clock::now();
  std::size_t saved_ = 0;
  bool warned_ = false;
};

std::optional<Checkpoint> find_checkpoint(const ResumableRun& run, const RunIdentity& identity,
                                          const OutputFolder& out, Console& console) {
  const std::filesystem::path file = out.beside(kName);
  const std::string name = printable(file.string());
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    if (run.resume)
      console.note(fmt::format("no checkpoint at {}: training starts with the first epoch", name));
    return std::nullopt;
  }
  if (!run.resume) {
    console.warn(
        fmt::format("{} is of an unfinished run, which --resume goes on with; this run starts anew", name));
    return std::nullopt;
  }
  auto read = read_checkpoint(file, run.largest_checkpoint);
  if (const Reject* const reject = std::get_if<Reject>(&read)) {
    console.warn(fmt::format("the checkpoint {} can't be used: {}; training starts with the first epoch",
                             name, reject->reason));
    return std::nullopt;
  }
  Checkpoint& checkpoint = std::get<Checkpoint>(read);
  std::optional<std::string> foreign = difference(checkpoint.identity, identity, run.presets);
  if (!foreign && run.asked != Solver::kAuto && run.asked != checkpoint.solver) {
    foreign = fmt::format("solver is {} there, {} here", to_string(checkpoint.solver), to_string(run.asked));
  }
  if (foreign) {
    throw Error{Error::Kind::kUsage, "cannot resume",
                fmt::format("{}: is of another run: {}", name, *foreign),
                "repeat that run's options, or leave out --resume"};
  }
  console.note(fmt::format("resuming after epoch {} of {} from {}", checkpoint.epochs(), run.epochs, name));
  return std::move(checkpoint);
}

}  // namespace

std::uint64_t largest_checkpoint(std::uint64_t inputs, const TrainingOptions& options, int classes) {
  std::uint64_t floats = 0;
  std::vector<int> widths = options.hidden;
  widths.push_back(classes);
  for (const int width : widths) {
    const auto padded = static_cast<std::uint64_t>(width) + kSlabColumns;
    floats += 3 * (inputs + kSlabColumns) * padded;
    inputs = static_cast<std::uint64_t>(width);
  }
  return sizeof(float) * floats + (std::uint64_t{1} << 20U) +
         512 * static_cast<std::uint64_t>(options.epochs);
}

TrainingResult train_resumably(const ResumableRun& run, const RunIdentity& identity, OutputFolder& out,
                               const Session& session) {
  Console& console = session.console;
  std::optional<Checkpoint> checkpoint = find_checkpoint(run, identity, out, console);
  // The solver is chosen once: another machine with other memory must not change it in the middle of a run.
  const Solver solver = checkpoint ? checkpoint->solver : run.asked != Solver::kAuto ? run.asked : run.choice;
  Saver saver(out, identity, solver, run.checkpoint_seconds, console);
  TrainingHooks hooks;
  hooks.stop = &interrupt_flag();
  if (session.processes == nullptr) hooks.cancellation = on_interrupt(kToEndAnEpoch);
  const auto interruption = [&](std::size_t whole_epochs) {
    if (whole_epochs == 0)
      return Interrupted("interrupted: the features are cached, nothing was written to the output folder");
    return Interrupted(
        fmt::format("interrupted after epoch {} of {}: the same command with --resume goes on from {}",
                    whole_epochs, run.epochs, printable(out.beside(kName).string())));
  };
  const std::size_t before = checkpoint ? checkpoint->epochs() : 0;
  hooks.on_epoch = [&](const EpochResult& epoch) {
    checkpoint.reset();  // it was read before the first epoch, and is as large as the weights
    const int done = epoch.epoch + 1;
    const std::string line = epoch_line(epoch, run.epochs);
    if (done % run.epochs_a_line == 0 || done == run.epochs)
      console.note(line);
    else
      console.detail(line);
  };
  if (session.leads()) {
    hooks.wants_state = [&](bool stopping) { return saver.due(stopping); };
    hooks.on_state = [&](const TrainingState& state) { saver.save(state); };
  }
  try {
    const std::optional<TrainingState> resumed =
        checkpoint ? std::optional(checkpoint->state()) : std::nullopt;
    TrainingResult result = run.train(solver, hooks, resumed ? &*resumed : nullptr);
    if (!result.interrupted) return result;
    throw interruption(std::max(saver.saved(), before));
  } catch (const Cancelled&) {
    throw interruption(std::max(saver.saved(), before));
  } catch (const std::invalid_argument& error) {
    throw Error{Error::Kind::kFailed, "cannot train the head", error.what(), "check the training options"};
  } catch (const Divergence& error) {
    throw Error{Error::Kind::kFailed, "training diverged", error.what(), "lower --learning-rate"};
  }
}

TrainingResult train_resumably(const TrainingData& data, TrainingOptions training,
                               const TrainOptions& options, const RunIdentity& identity, OutputFolder& out,
                               const Session& session) {
  const ResumableRun run{
      .epochs = training.epochs,
      .asked = training.solver,
      .choice = solver_of(data, training),
      .largest_checkpoint = largest_checkpoint(
          static_cast<std::uint64_t>(data.columns()) + data.labels.size(), training, data.classes),
      .resume = options.resume,
      .checkpoint_seconds = options.checkpoint_seconds,
      .presets = identity_of({}, TrainOptions{}),
      .epochs_a_line = options.sweep ? std::max(1, training.epochs / kLinesAfterASearch) : 1,
      .train = [&](Solver solver, const TrainingHooks& hooks, const TrainingState* resume) {
        training.solver = solver;
        return train_head(data, initial_head(data.columns(), data.classes, training), training, hooks,
                          resume);
      }};
  return train_resumably(run, identity, out, session);
}

void forget_checkpoint(const OutputFolder& out) noexcept {
  std::error_code ignored;
  std::filesystem::remove(out.beside(kName), ignored);
}

}  // namespace headstart

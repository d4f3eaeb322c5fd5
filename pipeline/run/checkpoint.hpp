// pipeline/run/checkpoint.hpp: a training run's state as a file, so that a killed run can go on. The format
// is our own, not HDF5: one header, the arrays as they are in memory, one digest. The file is written from
// views, without a second copy of the weights. A reader checks the whole file before it uses any part of it.
//   "headstart checkpoint 1\n\n"      24 bytes
//   length of the header              u64, little-endian
//   header                            JSON: identity, solver, history, shapes; spaces up to a multiple of 64
//   arrays                            float32, little-endian, each followed by zeros up to a multiple of 64
//   SHA-256 of everything before      32 bytes
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "data/error.hpp"
#include "head/layers/solver.hpp"
#include "head/training/training_state.hpp"

namespace headstart {

/// What two runs must have in common, so that one can go on with the other's state: names and values, in
/// order.
using RunIdentity = std::vector<std::pair<std::string, std::string>>;

/// A difference between `saved` and `ours`, such as "seed is 3 there, 4 here"; empty if there is none. Values
/// that are numbers are compared as numbers.
/// @param presets  the values of names that one of the two lacks
[[nodiscard]] std::optional<std::string> difference(const RunIdentity& saved, const RunIdentity& ours,
                                                    const RunIdentity& presets = {});

/// Writes `file`, which is not durable yet. @throws Error kFailed
void write_checkpoint(const std::filesystem::path& file, const RunIdentity& identity, Solver solver,
                      const TrainingState& state);

/// A checkpoint in memory. After a move, the views of its state stay valid.
class Checkpoint {
 public:
  RunIdentity identity;
  Solver solver = Solver::kPrimal;

  /// Valid while this checkpoint lives.
  [[nodiscard]] TrainingState state() const { return {history_, layers_, velocities_, best_, first_}; }
  /// The number of epochs that are done.
  [[nodiscard]] std::size_t epochs() const noexcept { return history_.size(); }

 private:
  friend std::variant<Checkpoint, Reject> read_checkpoint(const std::filesystem::path&, std::uint64_t);
  void parse(std::size_t header_end, const std::string& header);

  std::vector<std::byte> bytes_;  // the memory of first_'s arrays
  std::vector<EpochResult> history_;
  std::vector<Dense> layers_;
  std::vector<Dense> velocities_;
  std::vector<Dense> best_;
  FirstLayerState first_;
};

/// The checkpoint in `file`, or the reason why there is none: it is unreadable, larger than `max_bytes`,
/// damaged, or of another version.
[[nodiscard]] std::variant<Checkpoint, Reject> read_checkpoint(const std::filesystem::path& file,
                                                               std::uint64_t max_bytes);

}  // namespace headstart

// features/trial_read.hpp: reading an untrusted file with a library that damaged files can crash: HDF5 1.10
// in particular. The reading is tried in a child process first, and repeated here only if the child survived
// it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

namespace headstart {

/// What a trial may use before it is stopped.
struct TrialLimits {
  std::uint64_t memory_bytes = std::uint64_t{1} << 30;  ///< beyond what this process has already
  unsigned cpu_seconds = 60;
};

/// Runs `read` in a copy of this process, which ends with it: what it changes there is lost, what it prints
/// is not seen. Being a copy, the child does exactly what this process would do. It is no jail: code that a
/// file smuggles in would run there with all rights.
/// @param file  what errors call the file
/// @throws Error kFailed if the child crashes, or exceeds `limits` (its memory is not limited under
/// sanitizers, which need all addresses); the Error that `read` throws there
void try_in_child(const std::filesystem::path& file, const std::function<void()>& read,
                  const TrialLimits& limits = {});

}  // namespace headstart

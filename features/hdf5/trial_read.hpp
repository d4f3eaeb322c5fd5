// features/hdf5/trial_read.hpp: reads an untrusted file with a library that a damaged file can crash, in
// particular HDF5 1.10. A child process tries the read first. The read is repeated in this process only if
// the child survived.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

namespace headstart {

/// The limits of a trial; a trial beyond them is stopped.
struct TrialLimits {
  std::uint64_t memory_bytes = std::uint64_t{1} << 30;  ///< in addition to this process's present memory
  unsigned cpu_seconds = 60;
};

/// Runs `read` in a copy of this process that ends with it. Changes in the copy are lost, and its output is
/// not shown. The child is a copy, so it does exactly what this process would do. It is no jail: malicious
/// code in a file would run there with all rights.
/// @param file  the name of the file in errors
/// @throws Error kFailed if the child crashes or exceeds `limits`; the Error that `read` throws there. (Under
/// sanitizers, which need all addresses, memory is not limited)
void try_in_child(const std::filesystem::path& file, const std::function<void()>& read,
                  const TrialLimits& limits = {});

}  // namespace headstart

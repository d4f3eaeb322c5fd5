// tests/pipeline/commands/mpi_launch.hpp: headstart under mpirun, as a user would start it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/support/process.hpp"

namespace headstart::test {

/// Why mpirun can't be tested here; empty if it can.
[[nodiscard]] std::string no_mpirun();

/// headstart with each of these argument lists, so many processes each, as one launch; over-subscribed. What
/// hangs ends after two minutes, with another exit code than it should.
/// @param more  options of mpirun
[[nodiscard]] ProcessResult launch(const std::vector<std::pair<int, std::vector<std::string>>>& programs,
                                   const ProcessOptions& options = {},
                                   const std::vector<std::string>& more = {});

/// Whether --enable-recovery keeps the others alive. Open MPI 5.0.7 ends them without a word.
[[nodiscard]] bool others_go_on_without_a_dead_rank();

/// Processes that `parent` has started and that run headstart, by process number.
[[nodiscard]] std::vector<int> headstarts_of(int parent);
/// The same once there are so many; fewer if they aren't after ten seconds.
[[nodiscard]] std::vector<int> wait_for_headstarts_of(int parent, std::size_t count);

}  // namespace headstart::test

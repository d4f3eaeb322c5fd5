// pipeline/process/processes_none.cpp: a build without MPI.
#include <fmt/format.h>

#include "data/error.hpp"
#include "pipeline/process/processes.hpp"

namespace headstart {

std::unique_ptr<Processes> join_processes() {
  const int size = launched_processes();
  if (size == 1) return nullptr;
  throw Error{Error::Kind::kUsage, "cannot train together",
              fmt::format("{} processes were started, and this build has no MPI", size),
              "start one process, or build with MPI (Debian: libopenmpi-dev)"};
}

bool can_share_work() { return false; }

std::string describe_mpi() { return "not in this build: libopenmpi-dev was not there"; }

}  // namespace headstart

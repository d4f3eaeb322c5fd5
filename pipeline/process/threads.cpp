// pipeline/process/threads.cpp
#include "pipeline/process/threads.hpp"

#include <omp.h>
#include <sched.h>
#include <tbb/global_control.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <thread>

#include "memory/cgroup.hpp"

namespace headstart {
namespace {

int affinity_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::thread::hardware_concurrency());
}

int quota_threads(int otherwise) {
  return static_cast<int>(std::min(std::ceil(cgroup_limits().processors), static_cast<double>(otherwise)));
}

/// The number of processes that Open MPI's mpirun has started on this machine, this one included.
int local_processes() {
  const char* const text = std::getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
  return text == nullptr ? 1 : std::max(std::atoi(text), 1);  // NOLINT(cert-err34-c): 0 for what is no number
}

}  // namespace

int available_threads() {
  const int affinity = affinity_threads();
  const int own = std::max(1, quota_threads(affinity));
  // Processes share the processors if together they may use more than there are. mpirun causes this case: it
  // binds more than two processes to a socket each, and over-subscribed processes to nothing.
  const int all = std::max(1, quota_threads(static_cast<int>(std::thread::hardware_concurrency())));
  const int processes = local_processes();
  return own * processes > all ? std::max(1, all / processes) : own;
}

struct ThreadLimit::Control {
  explicit Control(int threads)
      : tbb(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads)) {}
  tbb::global_control tbb;
};

ThreadLimit::ThreadLimit(int threads) : control_(std::make_unique<Control>(threads)) {
  omp_set_num_threads(threads);
  Eigen::setNbThreads(threads);
}

ThreadLimit::~ThreadLimit() = default;

}  // namespace headstart

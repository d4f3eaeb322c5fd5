// pipeline/threads.cpp
#include "pipeline/threads.hpp"

#include <omp.h>
#include <sched.h>
#include <tbb/global_control.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <fstream>
#include <opencv2/core/utility.hpp>
#include <string>
#include <thread>

namespace headstart {
namespace {

int affinity_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::thread::hardware_concurrency());
}

/// cgroup v2's cpu.max is "quota period" in microseconds, or "max period".
int quota_threads(int otherwise) {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  double quota = 0.0;
  double period = 0.0;
  if (file >> quota >> period && quota > 0.0 && period > 0.0)
    return static_cast<int>(std::ceil(quota / period));
  return otherwise;
}

}  // namespace

int available_threads() {
  const int affinity = affinity_threads();
  return std::max(1, std::min(affinity, quota_threads(affinity)));
}

struct ThreadLimit::Control {
  explicit Control(int threads)
      : tbb(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads)) {}
  tbb::global_control tbb;
};

ThreadLimit::ThreadLimit(int threads) : control_(std::make_unique<Control>(threads)) {
  omp_set_num_threads(threads);
  cv::setNumThreads(threads);
  Eigen::setNbThreads(threads);
}

ThreadLimit::~ThreadLimit() = default;

}  // namespace headstart

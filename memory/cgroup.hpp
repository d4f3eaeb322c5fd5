// memory/cgroup.hpp: the limits that the kernel sets for this process, which may be below what the machine
// has. Slurm, systemd, Kubernetes and containers set limits at any level of the cgroup tree. So every level
// from the process's own group up counts. Versions 1 and 2 are read, and machines that mount both
// (man 7 cgroups).
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>

namespace headstart {

/// The smallest limit of any level.
struct CgroupLimits {
  std::int64_t memory = std::numeric_limits<std::int64_t>::max();  ///< bytes
  double processors = std::numeric_limits<double>::infinity();     ///< CPU seconds a second
};

/// @param root  the folder that holds /proc and the cgroup mounts; tests give another one
/// @return no limit where a file is missing or cannot be read
[[nodiscard]] CgroupLimits cgroup_limits(const std::filesystem::path& root = "/");

}  // namespace headstart

// memory/cgroup.hpp: what the kernel lets this process use, where it is less than what the machine has.
// Slurm, systemd, Kubernetes and containers set limits at any level of the cgroup tree, so every level from
// the process's own group up counts. Versions 1 and 2, and machines that mount both (man 7 cgroups).
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

/// @param root  where /proc and the mounts of cgroups are, for tests
/// @return no limit for what is missing or not to be read
[[nodiscard]] CgroupLimits cgroup_limits(const std::filesystem::path& root = "/");

}  // namespace headstart

// tests/memory/cgroup_test.cpp: limits of made-up trees, as Slurm, systemd, Docker and Kubernetes make them.
#include "memory/cgroup.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kNoMemoryLimit = std::numeric_limits<std::int64_t>::max();
constexpr double kNoQuota = std::numeric_limits<double>::infinity();

class Cgroup : public ::testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) const {
    const fs::path path = scratch_ / file;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  [[nodiscard]] CgroupLimits limits() const { return cgroup_limits(scratch_ / "."); }
  /// Version 2 at its usual place, the process in `group`.
  void mount_unified(const std::string& group, const std::string& top = "/") const {
    write("proc/self/mountinfo", "22 1 0:20 / /proc rw - proc proc rw\n31 23 0:28 " + top +
                                     " /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
    write("proc/self/cgroup", "0::" + group + "\n");
  }
  test::ScratchFolder scratch_;
};

TEST_F(Cgroup, NothingIsNoLimit) {
  EXPECT_EQ(limits().memory, kNoMemoryLimit);
  EXPECT_EQ(limits().processors, kNoQuota);
}

TEST_F(Cgroup, EveryLevelOfVersion2Counts) {
  const std::string job = "sys/fs/cgroup/system.slice/slurmstepd.scope/job_7";
  mount_unified("/system.slice/slurmstepd.scope/job_7/step_0/user/task_0");
  write(job + "/step_0/user/task_0/memory.max", "max\n");
  write(job + "/step_0/user/task_0/cpu.max", "max 100000\n");
  EXPECT_EQ(limits().memory, kNoMemoryLimit);
  EXPECT_EQ(limits().processors, kNoQuota);

  write(job + "/memory.max", "4294967296\n");  // neither the leaf nor the root
  write(job + "/step_0/cpu.max", "250000 100000\n");
  EXPECT_EQ(limits().memory, std::int64_t{4} << 30);
  EXPECT_EQ(limits().processors, 2.5);

  write(job + "/step_0/memory.max", "8589934592\n");  // larger than its parent's
  write("sys/fs/cgroup/system.slice/cpu.max", "150000 100000\n");
  EXPECT_EQ(limits().memory, std::int64_t{4} << 30);
  EXPECT_EQ(limits().processors, 1.5);

  write("sys/fs/cgroup/memory.max", "1073741824\n");
  EXPECT_EQ(limits().memory, std::int64_t{1} << 30);
  write(job + "/memory.high", "536870912\n");
  EXPECT_EQ(limits().memory, std::int64_t{512} << 20);
}

TEST_F(Cgroup, EveryLevelOfVersion1Counts) {
  write("proc/self/mountinfo",
        "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
        "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
        "40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n");
  write("proc/self/cgroup",
        "9:name=systemd:/a\n4:memory:/slurm/uid_0/job_7\n2:cpuacct,cpu:/slurm/uid_0\n0::/\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");  // how "none" is written
  write("sys/fs/cgroup/memory/slurm/uid_0/job_7/memory.limit_in_bytes", "9223372036854771712\n");
  write("sys/fs/cgroup/cpu,cpuacct/slurm/uid_0/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu,cpuacct/slurm/uid_0/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limits().memory, kNoMemoryLimit);
  EXPECT_EQ(limits().processors, kNoQuota);

  write("sys/fs/cgroup/memory/slurm/uid_0/memory.limit_in_bytes", "2147483648\n");
  write("sys/fs/cgroup/cpu,cpuacct/slurm/cpu.cfs_quota_us", "300000\n");
  write("sys/fs/cgroup/cpu,cpuacct/slurm/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limits().memory, std::int64_t{2} << 30);
  EXPECT_EQ(limits().processors, 3.0);
}

TEST_F(Cgroup, BothVersionsMountedCountTogether) {
  write("proc/self/mountinfo",
        "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
        "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  write("proc/self/cgroup", "4:memory:/a\n0::/b\n");
  write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "2000000000\n");
  write("sys/fs/cgroup/unified/b/cpu.max", "50000 100000\n");
  EXPECT_EQ(limits().memory, 2'000'000'000);
  EXPECT_EQ(limits().processors, 0.5);
}

TEST_F(Cgroup, AContainerThatSeesTheHostsNamesFindsItsOwnGroup) {
  mount_unified("/docker/0123abcd/inner", "/docker/0123abcd");
  write("sys/fs/cgroup/memory.max", "1000000000\n");
  write("sys/fs/cgroup/inner/memory.max", "700000000\n");
  EXPECT_EQ(limits().memory, 700'000'000);
}

TEST_F(Cgroup, AGroupAboveTheNamespaceIsItsTop) {
  mount_unified("/../../elsewhere");
  write("sys/fs/cgroup/memory.max", "1000000000\n");
  EXPECT_EQ(limits().memory, 1'000'000'000);
}

TEST_F(Cgroup, MountPointsMayHoldBlanks) {
  write("proc/self/mountinfo", "31 23 0:28 / /my\\040groups rw - cgroup2 cgroup2 rw\n");
  write("proc/self/cgroup", "0::/\n");
  write("my groups/memory.max", "1000000000\n");
  EXPECT_EQ(limits().memory, 1'000'000'000);
}

TEST_F(Cgroup, RubbishIsNoLimit) {
  write("proc/self/mountinfo", "31\n\n31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n-\n");
  write("proc/self/cgroup", "0\n::\n0::/a\n");
  write("sys/fs/cgroup/a/memory.max", "\n");
  write("sys/fs/cgroup/a/cpu.max", "0 0\n");
  EXPECT_EQ(limits().memory, kNoMemoryLimit);
  EXPECT_EQ(limits().processors, kNoQuota);
}

TEST(CgroupOfThisProcess, IsRead) {
  EXPECT_GT(cgroup_limits().memory, 0);
  EXPECT_GT(cgroup_limits().processors, 0.0);
}

}  // namespace
}  // namespace headstart

// tests/faults/disk_test.cpp: `headstart extract` on disks that are full or read-only, and images that
// vanish.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/faults/extraction_run.hpp"
#include "tests/support/nightly.hpp"
#include "tests/support/opened_files.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;

/// A file system of its own in memory, with room for `bytes`.
class SmallDisk {
 public:
  SmallDisk(const fs::path& folder, std::size_t bytes) : folder_(folder) {
    fs::create_directories(folder);
    mounted_ =
        mount("headstart-test", folder.c_str(), "tmpfs", 0, ("size=" + std::to_string(bytes)).c_str()) == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) umount2(folder_.c_str(), MNT_DETACH);
  }
  [[nodiscard]] bool mounted() const { return mounted_; }
  [[nodiscard]] bool remount(unsigned long flags, const std::string& data = {}) const {
    return mount(nullptr, folder_.c_str(), nullptr, MS_REMOUNT | flags,
                 data.empty() ? nullptr : data.c_str()) == 0;
  }

 private:
  fs::path folder_;
  bool mounted_;
};

void expect_whole(const fs::path& cache) {
  const CacheContent content = content_of(cache);
  EXPECT_EQ(content.rows, extraction_keys().size());
  EXPECT_EQ(content.wrong, 0U);
  EXPECT_TRUE(content.warnings.empty()) << content.warnings.front();
}

TEST(FullDisk, CostsOnlyTheCachingAndIsMadeGoodWhenThereIsRoom) {
  const ScratchFolder scratch;
  const SmallDisk disk(scratch / "disk", std::size_t{100} << 20);  // one segment, not two
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a file system here: " << std::strerror(errno);
  const fs::path cache = scratch / "disk" / "cache";
  const ProcessResult full = extract_into(cache);
  ASSERT_EQ(full.exit_code, 0) << full.err;
  EXPECT_NE(full.err.find("features are not cached"), std::string::npos) << full.err;
  EXPECT_NE(full.err.find("No space left on device"), std::string::npos) << full.err;
  const CacheContent content = content_of(cache);
  EXPECT_EQ(content.wrong, 0U);
  EXPECT_LT(content.rows, extraction_keys().size());
  EXPECT_TRUE(content.warnings.empty()) << "nothing half-written is left: " << content.warnings.front();

  ASSERT_TRUE(disk.remount(0, "size=2g"));
  const ProcessResult again = extract_into(cache);
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(computed(again), extraction_keys().size() - content.rows);
  expect_whole(cache);
}

TEST(FullDisk, AFileSizeLimitIsOneToo) {
  HEADSTART_ONLY_NIGHTLY();
  const ScratchFolder scratch;
  ProcessOptions limited;
  limited.before_exec = [] {
    const rlimit limit{30 << 20, 30 << 20};
    setrlimit(RLIMIT_FSIZE, &limit);
  };
  const ProcessResult result = extract_into(scratch / "cache", limited);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("File too large"), std::string::npos) << result.err;
  EXPECT_EQ(content_of(scratch / "cache").wrong, 0U);
  ASSERT_EQ(extract_into(scratch / "cache").exit_code, 0);
  expect_whole(scratch / "cache");
}

TEST(ReadOnlyCache, IsReadAndNotWritten) {
  const ScratchFolder scratch;
  const SmallDisk disk(scratch / "disk", std::size_t{1} << 30);
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a file system here: " << std::strerror(errno);
  const fs::path cache = scratch / "disk" / "cache";
  ASSERT_EQ(extract_into(cache, {}, {"--shard", "0/2"}).exit_code, 0);
  const std::size_t before = content_of(cache).rows;
  ASSERT_GT(before, 0U);
  ASSERT_LT(before, extraction_keys().size());
  ASSERT_TRUE(disk.remount(MS_RDONLY));
  const ProcessResult result = extract_into(cache);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(computed(result), extraction_keys().size() - before);
  EXPECT_NE(result.err.find("Read-only file system"), std::string::npos) << result.err;
  ASSERT_TRUE(disk.remount(0));
  ASSERT_EQ(extract_into(cache).exit_code, 0);
  expect_whole(cache);
}

TEST(VanishingImages, AreRejectsAndShiftNoRow) {
  const ScratchFolder scratch;
  fs::copy(extraction_dataset(), scratch / "dataset", fs::copy_options::recursive);
  // The last ones to be read, and more than are read ahead.
  const fs::path victims = scratch / "dataset" / "zz";
  fs::create_directories(victims);
  for (int i = 0; i < 200; ++i) {
    std::ofstream(victims / (std::to_string(i) + ".ppm"), std::ios::binary)
        << "P6 4 4 255\n"
        << std::string(47, 'x') << static_cast<char>(i);
  }
  ProcessOptions thief;
  const OpenedFiles opened({scratch / "dataset" / "birds"});
  thief.while_running = [&](int) {
    // Once an image is opened, all were listed.
    for (int i = 0; i < 1000 && opened.names().empty(); ++i) usleep(10'000);
    for (const auto& entry : fs::directory_iterator(victims)) fs::remove(entry.path());
  };
  const ProcessResult result =
      headstart_process({"extract", (scratch / "dataset").string(), "--cache", (scratch / "cache").string(),
                         "--tap", "block1_pool", "--engine", "native"},
                        thief);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("cannot be opened: No such file or directory"), std::string::npos) << result.err;
  EXPECT_EQ(content_of(scratch / "cache").wrong, 0U);
  EXPECT_EQ(content_of(scratch / "cache").rows, extraction_keys().size());
}

}  // namespace
}  // namespace headstart::test

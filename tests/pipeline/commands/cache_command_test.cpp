// tests/pipeline/commands/cache_command_test.cpp: headstart cache, and what a warm cache spares: which files
// a run really opens is what the kernel says (inotify).
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>

#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/support/nightly.hpp"
#include "tests/support/opened_files.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;

/// A small dataset whose files are old enough to be trusted, and its cache.
class WarmCache : public ::testing::Test {
 protected:
  void SetUp() override {
    copy_samples(dataset(), {"birds", "bugs"}, 5);
    ASSERT_EQ(extract().exit_code, 0);
  }
  /// Has CACHE/stat know the images, too: it trusts no file younger than two seconds.
  void settle() const {
    sleep(2);
    ASSERT_EQ(extract().exit_code, 0);
  }
  [[nodiscard]] fs::path dataset() const { return scratch_ / "dataset"; }
  [[nodiscard]] fs::path cache() const { return scratch_ / "cache"; }
  [[nodiscard]] fs::path tap_folder() const {
    for (const fs::directory_entry& entry : fs::directory_iterator(cache()))
      if (entry.is_directory()) return entry.path() / "block5_pool";
    throw std::runtime_error("there is no cache");
  }
  [[nodiscard]] std::vector<fs::path> watched() const {
    return {dataset() / "birds", dataset() / "bugs", tap_folder()};
  }
  [[nodiscard]] ProcessResult extract(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"extract",        dataset().string(), "--cache",
                                       cache().string(), "--engine",         "native"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return headstart_process(arguments);
  }
  [[nodiscard]] ProcessResult cache_command(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "cache");
    arguments.insert(arguments.end(), {"--cache", cache().string()});
    return headstart_process(arguments);
  }
  [[nodiscard]] fs::path segment() const {
    for (const fs::directory_entry& entry : fs::directory_iterator(tap_folder()))
      if (entry.path().extension() == ".h5") return entry.path();
    throw std::runtime_error("there is no segment");
  }

 private:
  ScratchFolder scratch_;
};

TEST_F(WarmCache, ExtractOnAnUnchangedFolderOpensNoImageAndNoSegment) {
  settle();
  const OpenedFiles opened(watched());
  const ProcessResult result = extract();
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("10 from the cache"), std::string::npos) << result.out;
  EXPECT_EQ(opened.names(), std::set<std::string>{"index"});
  // The watch does see what is opened.
  ASSERT_EQ(extract({"--rehash"}).exit_code, 0);
  EXPECT_EQ(opened.names().size(), 11U);
}

TEST_F(WarmCache, ATapAboveACachedOneIsComputedWithoutOpeningAnImage) {
  ASSERT_EQ(extract({"--tap", "block4_pool"}).exit_code, 0);
  settle();
  fs::remove_all(tap_folder());
  const OpenedFiles opened({dataset() / "birds", dataset() / "bugs"});
  const ProcessResult result = extract();
  EXPECT_NE(result.out.find("10 computed, 0 rejected; 10 rows from the cached block4_pool"),
            std::string::npos)
      << result.out << result.err;
  EXPECT_EQ(opened.names(), std::set<std::string>{});
}

TEST_F(WarmCache, AnImageThatChangedIsReadAndTheOthersAreNot) {
  HEADSTART_ONLY_NIGHTLY();
  settle();
  const fs::path changed =
      dataset() / "birds" / fs::directory_iterator(dataset() / "birds")->path().filename();
  const fs::file_time_type modified = fs::last_write_time(changed);
  std::ofstream(changed, std::ios::app) << " ";
  fs::last_write_time(changed, modified);
  const OpenedFiles opened(watched());
  const ProcessResult result = extract();
  EXPECT_NE(result.out.find("9 from the cache, 1 computed"), std::string::npos) << result.out;
  EXPECT_TRUE(opened.names().contains(changed.filename().string()));
}

TEST_F(WarmCache, WithoutItsAcceleratorsEverythingIsFoundAllTheSame) {
  HEADSTART_ONLY_NIGHTLY();
  settle();
  for (const std::string damage : {"delete", "cut", "noise"}) {
    for (const fs::path& file : {cache() / "stat", tap_folder() / "index"}) {
      ASSERT_TRUE(fs::exists(file)) << file;
      if (damage == "delete") fs::remove(file);
      if (damage == "cut") fs::resize_file(file, fs::file_size(file) / 2);
      if (damage == "noise") std::ofstream(file) << "noise";
    }
    const ProcessResult result = extract();
    EXPECT_NE(result.out.find("10 from the cache"), std::string::npos) << damage << result.out << result.err;
    EXPECT_EQ(result.err.find("warning"), std::string::npos) << result.err;
  }
}

TEST_F(WarmCache, CacheListTellsWhatItHolds) {
  const ProcessResult list = cache_command({"list"});
  ASSERT_EQ(list.exit_code, 0) << list.err;
  for (const char* expected : {"block5_pool", "native", "not zero", "10  "})
    EXPECT_NE(list.out.find(expected), std::string::npos) << expected << "\n" << list.out;
}

TEST_F(WarmCache, CacheVerifyNamesADamagedSegmentAndTheNextRunHeals) {
  EXPECT_EQ(cache_command({"verify"}).exit_code, 0);
  const fs::path damaged = segment();
  std::fstream(damaged, std::ios::in | std::ios::out).seekp(5000).put('~');
  const ProcessResult verify = cache_command({"verify"});
  EXPECT_EQ(verify.exit_code, 1);
  EXPECT_NE(verify.err.find(damaged.string() + ": its SHA-256"), std::string::npos) << verify.err;
  EXPECT_TRUE(fs::exists(damaged)) << "looking changes nothing";
  const ProcessResult again = extract();
  EXPECT_NE(again.err.find("is now named .bad"), std::string::npos) << again.err;
  EXPECT_NE(again.out.find("10 computed"), std::string::npos) << again.out;
  EXPECT_EQ(cache_command({"verify"}).exit_code, 0);
}

TEST_F(WarmCache, PruneTellsAnUnknownFingerprintAndWhatTheCacheHolds) {
  const ProcessResult unknown = cache_command({"prune", "--fingerprint", "typo"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_NE(unknown.err.find("--fingerprint: " + cache().string() + " has no 'typo'"), std::string::npos)
      << unknown.err;
  ASSERT_EQ(extract({"--input-size", "64"}).exit_code, 0);
  const std::string whole = cache_command({"prune", "--older-than", "1d", "--dry-run"}).out;
  const ProcessResult one = cache_command(
      {"prune", "--fingerprint", tap_folder().parent_path().filename(), "--older-than", "1d", "--dry-run"});
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_EQ(one.out, whole);
}

TEST_F(WarmCache, CacheCompactMergesAndPruneRemoves) {
  HEADSTART_ONLY_NIGHTLY();
  copy_samples(dataset(), {"fruit"}, 3);
  ASSERT_EQ(extract().exit_code, 0);
  const ProcessResult compact = cache_command({"compact"});
  ASSERT_EQ(compact.exit_code, 0) << compact.err;
  EXPECT_NE(compact.out.find("into"), std::string::npos) << compact.out;
  EXPECT_NE(cache_command({"compact"}).out.find("nothing to merge"), std::string::npos);
  EXPECT_NE(extract().out.find("13 from the cache"), std::string::npos);

  EXPECT_EQ(cache_command({"prune"}).exit_code, 2) << "it has to be told what";
  EXPECT_EQ(cache_command({"prune", "--older-than", "30"}).exit_code, 2);
  EXPECT_NE(cache_command({"prune", "--older-than", "1d"}).out.find("0 segments"), std::string::npos);
  EXPECT_NE(cache_command({"prune", "--max-size", "0", "--dry-run"}).out.find("would be removed"),
            std::string::npos);
  EXPECT_NE(extract().out.find("13 from the cache"), std::string::npos);
  EXPECT_EQ(cache_command({"prune", "--max-size", "0"}).exit_code, 0);
  EXPECT_NE(cache_command({"list"}).out.find("no cached features"), std::string::npos);
}

}  // namespace
}  // namespace headstart::test

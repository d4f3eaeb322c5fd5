// tests/features/cache/cache_folder_test.cpp: `headstart cache`'s view of a cache: listed, verified, pruned.
#include "features/cache/cache_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "data/error.hpp"
#include "features/cache/cache.hpp"
#include "features/cache/segment_files.hpp"
#include "features/cache/segment_folder.hpp"
#include "tests/features/cache/made_up_segment.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using test::made_up_segment;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

void ignore(const std::string&) {}
void ignore_progress(std::uint64_t, std::uint64_t) {}

ExtractorConfiguration of_size(int size) {
  ExtractorConfiguration configuration;
  configuration.resize.size = size;
  return configuration;
}

/// A cache of two configurations: 32 x 32 with three segments, 64 x 64 with one.
class CacheFolder : public ::testing::Test {
 protected:
  CacheFolder() {
    FeatureCache small(root(), of_size(32), Tap{"block5_pool"}, ignore);
    for (const std::vector<int>& images : {std::vector{1}, std::vector{2, 3}, std::vector{4, 5, 6}})
      small.publish(made_up_segment(images));
    FeatureCache large(root(), of_size(64), Tap{"block5_pool"}, ignore);
    large.publish(made_up_segment({7}, {2, 2, 512}));
    int days = 40;  // old: each segment ten days younger than the one before
    for (const fs::path& file : files()) {
      fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(24 * days));
      days -= 10;
    }
  }

  [[nodiscard]] fs::path root() const { return scratch_ / "cache"; }
  [[nodiscard]] fs::path folder_of(int size) const {
    return root() / of_size(size).fingerprint() / "block5_pool";
  }
  /// All segments.
  [[nodiscard]] std::vector<fs::path> files() const {
    std::vector<fs::path> all;
    std::error_code error;
    for (const int size : {32, 64}) {
      for (const fs::path& file : list_segments(folder_of(size), error)) all.push_back(file);
    }
    return all;
  }
  [[nodiscard]] CacheVerification verify() const { return verify_cache(root(), ignore_progress); }

 private:
  test::ScratchFolder scratch_;
};

void flip_a_byte(const fs::path& file) {
  std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
  stream.seekp(static_cast<std::streamoff>(fs::file_size(file) / 2));
  stream.put('~');
}

TEST_F(CacheFolder, IsListedWithAndWithoutAnIndex) {
  const auto check = [&] {
    const std::vector<CacheListing> listings = list_cache(root(), ignore);
    ASSERT_THAT(listings, SizeIs(2));
    for (const CacheListing& listing : listings) {
      const bool small = listing.folder.fingerprint == of_size(32).fingerprint();
      EXPECT_EQ(listing.rows, small ? 6U : 1U);
      EXPECT_EQ(listing.segments, small ? 3U : 1U);
      EXPECT_EQ(listing.engine, "engine");
      EXPECT_NEAR(listing.density, 0.1, 0.03);
      const auto days = (fs::file_time_type::clock::now() - listing.newest) / std::chrono::hours(24);
      EXPECT_EQ(days, small ? 20 : 10);
    }
  };
  check();
  FeatureCache(root(), of_size(32), Tap{"block5_pool"}, ignore).save_index();
  check();
}

TEST_F(CacheFolder, TheConfigurationIsTheOneThatTheFolderIsNamedAfter) {
  for (const TapFolder& folder : list_taps(root())) {
    const auto configuration = configuration_of(folder);
    ASSERT_TRUE(configuration);
    EXPECT_EQ(configuration->fingerprint(), folder.fingerprint);
    std::ofstream(folder.path.parent_path() / "extractor.json") << of_size(96).canonical_json();
    EXPECT_FALSE(configuration_of(folder));
  }
}

TEST_F(CacheFolder, VerificationNamesEveryFaultAndChangesNothing) {
  CacheVerification whole = verify();
  EXPECT_THAT(whole.faults, IsEmpty());
  EXPECT_EQ(whole.segments, 4U);
  EXPECT_EQ(whole.rows, 7U);

  const std::vector<fs::path> all = files();
  flip_a_byte(all[0]);
  fs::resize_file(all[1], 100);
  // Right digests, wrong places: another shape, another tap.
  fs::copy_file(all[3], folder_of(32) / all[3].filename());
  fs::create_directories(folder_of(32).parent_path() / "block4_pool");
  fs::copy_file(all[2], folder_of(32).parent_path() / "block4_pool" / all[2].filename());
  std::ofstream(folder_of(64).parent_path() / "extractor.json") << "{}";
  const CacheVerification damaged = verify();
  std::vector<std::string> faults;
  for (const CacheFault& fault : damaged.faults) faults.push_back(fault.path.string() + ": " + fault.reason);
  EXPECT_THAT(faults, SizeIs(5));
  for (const std::string& expected :
       {all[0].string() + ": its SHA-256", all[1].string() + ": its SHA-256",
        (folder_of(32) / all[3].filename()).string() +
            ": it holds block5_pool of 2x2x512, not block5_pool of 1x1x512",
        "block4_pool/" + all[2].filename().string() + ": it holds block5_pool of",
        std::string("extractor.json: it is not the configuration")})
    EXPECT_THAT(faults, ::testing::Contains(HasSubstr(expected)));
  EXPECT_TRUE(fs::exists(all[0]) && fs::exists(all[1]));
}

TEST_F(CacheFolder, PruningByAgeTakesTheOldOnesOnly) {
  const std::vector<fs::path> all = files();
  const std::int64_t days25 = 25 * 86'400;
  const Pruned would = prune_cache(root(), {.older_than_s = days25, .dry_run = true});
  EXPECT_EQ(would.files, 2U);
  EXPECT_EQ(files(), all);
  const Pruned pruned = prune_cache(root(), {.older_than_s = days25});
  EXPECT_EQ(pruned.files, 2U);
  EXPECT_EQ(pruned.bytes, would.bytes);
  EXPECT_THAT(files(), ::testing::ElementsAre(all[2], all[3]));
  EXPECT_EQ(FeatureCache(root(), of_size(32), Tap{"block5_pool"}, ignore).rows(), verify().rows - 1);
}

TEST_F(CacheFolder, PruningBySizeTakesTheOldestFirst) {
  const std::vector<fs::path> all = files();
  const std::uint64_t keep = fs::file_size(all[2]) + fs::file_size(all[3]);
  const Pruned pruned = prune_cache(root(), {.max_bytes = keep + 1});
  EXPECT_EQ(pruned.files, 2U);
  EXPECT_EQ(pruned.bytes_left, keep);
  EXPECT_THAT(files(), ::testing::ElementsAre(all[2], all[3]));
  EXPECT_EQ(prune_cache(root(), {.max_bytes = keep}).files, 0U);
}

TEST_F(CacheFolder, PruningAFingerprintRemovesItWithItsFoldersAndNoOther) {
  FeatureCache(root(), of_size(32), Tap{"block5_pool"}, ignore).save_index();
  fs::rename(files()[0], files()[0].string() + ".bad");
  std::ofstream(folder_of(32) / SegmentFolder::kLockFile) << "";
  EXPECT_EQ(prune_cache(root(), {.fingerprint = of_size(32).fingerprint()}).files, 3U);
  EXPECT_FALSE(fs::exists(folder_of(32).parent_path()));
  EXPECT_EQ(verify().rows, 1U);
  EXPECT_EQ(prune_cache(root(), {.fingerprint = "0123456789abcdef"}).files, 0U);
  EXPECT_THROW(static_cast<void>(prune_cache(root(), {})), std::invalid_argument);
}

TEST_F(CacheFolder, PruningLeavesWhatHeadstartDidNotMake) {
  std::ofstream(folder_of(32) / "notes.txt") << "mine";
  std::ofstream(root() / "segment-of-something.h5") << "mine";
  EXPECT_EQ(prune_cache(root(), {.max_bytes = 0}).files, 4U);
  EXPECT_TRUE(fs::exists(folder_of(32) / "notes.txt"));
  EXPECT_TRUE(fs::exists(root() / "segment-of-something.h5"));
  EXPECT_FALSE(fs::exists(folder_of(64).parent_path()));
  EXPECT_THAT(files(), IsEmpty());
}

TEST(CacheFolderThatIsNone, HoldsNothing) {
  const test::ScratchFolder scratch;
  EXPECT_THAT(list_taps(scratch / "missing"), IsEmpty());
  EXPECT_EQ(verify_cache(scratch / "missing", ignore_progress).segments, 0U);
  std::ofstream(scratch / "file") << "x";
  EXPECT_THROW(static_cast<void>(list_taps(scratch / "file")), Error);
}

TEST(DefaultCacheFolder, FollowsTheEnvironment) {
  const char* const at_home = std::getenv("HOME");
  const std::string home = at_home == nullptr ? "/" : at_home;
  unsetenv("XDG_CACHE_HOME");
  setenv("HOME", "/home/someone", 1);
  EXPECT_EQ(default_cache_folder(), fs::path("/home/someone/.cache/headstart"));
  setenv("XDG_CACHE_HOME", "/var/xdg", 1);
  EXPECT_EQ(default_cache_folder(), fs::path("/var/xdg/headstart"));
  setenv("XDG_CACHE_HOME", "relative", 1);
  EXPECT_EQ(default_cache_folder(), fs::path("/home/someone/.cache/headstart"));
  unsetenv("XDG_CACHE_HOME");
  unsetenv("HOME");
  EXPECT_THROW((void)default_cache_folder(), Error);
  setenv("HOME", home.c_str(), 1);
}

}  // namespace
}  // namespace headstart

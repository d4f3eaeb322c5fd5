// tests/features/cache/file_digests_test.cpp: what CACHE/stat knows of real files that change in every way.
#include "features/cache/file_digests.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using test::ScratchFolder;

constexpr std::int64_t kSecond = 1'000'000'000;

void write(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

/// The time at which everything that exists has settled.
std::int64_t later(const FileStamp& stamp) {
  return std::max(stamp.modified_ns, stamp.changed_ns) + 3 * kSecond;
}

TEST(FileStamp, ChangesWithContentTimesAndFile) {
  const ScratchFolder scratch;
  const fs::path file = scratch / "file";
  write(file, "one");
  const FileStamp stamp = *FileStamp::of(file);
  EXPECT_EQ(stamp.bytes, 3U);
  EXPECT_EQ(FileStamp::of(file), stamp);
  fs::create_symlink(file, scratch / "link");
  EXPECT_EQ(FileStamp::of(scratch / "link"), stamp);
  EXPECT_EQ(FileStamp::of(scratch.path()), std::nullopt);
  EXPECT_EQ(FileStamp::of(scratch / "missing"), std::nullopt);

  const fs::file_time_type modified = fs::last_write_time(file);
  usleep(10'000);  // a tick of the file system's clock
  write(file, "two");
  fs::last_write_time(file, modified);  // what a program can hide
  EXPECT_NE(FileStamp::of(file), stamp);
  fs::copy_file(file, scratch / "copy");
  EXPECT_NE(FileStamp::of(scratch / "copy"), FileStamp::of(file));
}

TEST(FileStamp, OfAnOpenFileIsOfTheSameContentOnceItWasRenamed) {
  const ScratchFolder scratch;
  write(scratch / "file", "one");
  const FileDescriptor open(::open((scratch / "file").c_str(), O_RDONLY | O_CLOEXEC));
  const FileStamp stamp = *FileStamp::of(open);
  EXPECT_EQ(stamp, FileStamp::of(scratch / "file"));
  usleep(10'000);
  fs::rename(scratch / "file", scratch / "renamed");
  const FileStamp renamed = *FileStamp::of(open);
  EXPECT_NE(renamed, stamp);
  EXPECT_TRUE(renamed.is_of_same_content(stamp));
  write(scratch / "renamed", "other");
  EXPECT_FALSE(FileStamp::of(open)->is_of_same_content(stamp));
}

TEST(FileDigests, KnowsWhatItWasToldAndTheNextOneToo) {
  const ScratchFolder scratch;
  write(scratch / "a", "content of a");
  const FileStamp stamp = *FileStamp::of(scratch / "a");
  FileDigests digests(scratch / "stat", true);
  EXPECT_EQ(digests.find(stamp), std::nullopt);
  EXPECT_EQ(digests.save(), std::nullopt);
  EXPECT_FALSE(fs::exists(scratch / "stat")) << "nothing to tell";
  digests.add(stamp, sha256("content of a"), later(stamp));
  EXPECT_EQ(digests.find(stamp), sha256("content of a"));
  ASSERT_EQ(digests.save(), std::nullopt);
  EXPECT_EQ(digests.find(stamp), sha256("content of a"));

  const FileDigests next(scratch / "stat", true);
  EXPECT_EQ(next.find(stamp), sha256("content of a"));
  FileStamp other = stamp;
  ++other.changed_ns;
  EXPECT_EQ(next.find(other), std::nullopt);
  EXPECT_EQ(FileDigests(scratch / "stat", false).find(stamp), std::nullopt) << "--rehash";
}

TEST(FileDigests, DoesNotTrustWhatChangedLessThanTwoSecondsAgo) {
  const ScratchFolder scratch;
  write(scratch / "a", "content of a");
  const FileStamp stamp = *FileStamp::of(scratch / "a");
  const std::int64_t changed = std::max(stamp.modified_ns, stamp.changed_ns);
  FileDigests digests(scratch / "stat", true);
  digests.add(stamp, sha256("content of a"), changed + 2 * kSecond - 1);
  EXPECT_EQ(digests.find(stamp), std::nullopt);
  digests.add(stamp, sha256("content of a"), changed + 2 * kSecond);
  EXPECT_NE(digests.find(stamp), std::nullopt);
}

TEST(FileDigests, KnowsAMemberByItsArchivePlaceAndName) {
  const ScratchFolder scratch;
  const FileStamp stamp{.inode = 7};
  const std::optional<MemberSource> member = MemberSource{3, "a.jpg", stamp};
  FileDigests digests(scratch / "stat", true);
  digests.add(stamp, sha256("the archive"), later(stamp));
  EXPECT_EQ(digests.find(stamp, member), std::nullopt);
  digests.add(stamp, sha256("a"), later(stamp), member);
  ASSERT_EQ(digests.save(), std::nullopt);
  const FileDigests next(scratch / "stat", true);
  EXPECT_EQ(next.find(stamp), sha256("the archive"));
  EXPECT_EQ(next.find(stamp, member), sha256("a"));
  EXPECT_EQ(next.find(stamp, MemberSource{4, "a.jpg", stamp}), std::nullopt);
  EXPECT_EQ(next.find(stamp, MemberSource{3, "b.jpg", stamp}), std::nullopt);
  EXPECT_EQ(next.find(FileStamp{.inode = 8}, member), std::nullopt);
}

TEST(FileDigests, TwoThatSaveInTurnKeepWhatBothKnow) {
  const ScratchFolder scratch;
  const auto stamp = [](std::uint64_t inode) { return FileStamp{.device = 1, .inode = inode}; };
  FileDigests first(scratch / "stat", true);
  FileDigests second(scratch / "stat", true);
  first.add(stamp(1), sha256("1"), later(stamp(1)));
  second.add(stamp(2), sha256("2"), later(stamp(2)));
  second.add(stamp(1), sha256("newer"), later(stamp(1)));
  ASSERT_EQ(first.save(), std::nullopt);
  ASSERT_EQ(second.save(), std::nullopt);
  const FileDigests next(scratch / "stat", true);
  EXPECT_EQ(next.find(stamp(1)), sha256("newer"));
  EXPECT_EQ(next.find(stamp(2)), sha256("2"));
}

TEST(FileDigests, ADamagedFileIsAsGoodAsNone) {
  const ScratchFolder scratch;
  const FileStamp stamp{.inode = 7};
  for (const bool cut : {false, true}) {
    FileDigests digests(scratch / "stat", true);
    digests.add(stamp, sha256("7"), later(stamp));
    ASSERT_EQ(digests.save(), std::nullopt);
    if (cut) {
      fs::resize_file(scratch / "stat", fs::file_size(scratch / "stat") - 1);
    } else {
      write(scratch / "stat", "noise");
    }
    FileDigests next(scratch / "stat", true);
    EXPECT_EQ(next.find(stamp), std::nullopt);
    next.add(stamp, sha256("7"), later(stamp));
    EXPECT_EQ(next.save(), std::nullopt);
    EXPECT_EQ(FileDigests(scratch / "stat", true).find(stamp), sha256("7"));
  }
}

TEST(FileDigests, ForgetsOldEntriesOnceThereAreMany) {
  const ScratchFolder scratch;
  const auto at = [](std::uint64_t inode) { return FileStamp{.inode = inode}; };
  constexpr std::int64_t kDay = 86'400 * kSecond;
  constexpr std::uint64_t kMany = 1'000'000;
  FileDigests old(scratch / "stat", true);
  for (std::uint64_t i = 0; i < kMany; ++i) old.add(at(i), sha256("old"), 10 * kDay);
  ASSERT_EQ(old.save(), std::nullopt);
  FileDigests soon(scratch / "stat", true);
  soon.add(at(kMany), sha256("new"), 100 * kDay);
  ASSERT_EQ(soon.save(), std::nullopt);
  EXPECT_NE(soon.find(at(5)), std::nullopt);
  FileDigests late(scratch / "stat", true);
  late.add(at(kMany + 1), sha256("new"), 200 * kDay);
  ASSERT_EQ(late.save(), std::nullopt);
  EXPECT_EQ(late.find(at(5)), std::nullopt);
  EXPECT_NE(late.find(at(kMany)), std::nullopt);
  EXPECT_LT(fs::file_size(scratch / "stat"), 1000U);
}

}  // namespace
}  // namespace headstart

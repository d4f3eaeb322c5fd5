// tests/features/cache/segment_folder_test.cpp
#include "features/cache/segment_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "features/cache/segment_files.hpp"
#include "tests/features/cache/cache_workplace.hpp"

namespace headstart {
namespace {

using test::Workplace;
using State = FolderLock::State;

SegmentFolder folder_of(const Workplace& workplace) {
  return {workplace.folder(), test::workplace_configuration().canonical_json()};
}

TEST(SegmentFolder, IsLockedByOneAtATimeUntilThatLetsGo) {
  Workplace workplace;
  const SegmentFolder folder = folder_of(workplace);
  EXPECT_EQ(folder.lock().state, State::kUnwritable) << "there is no such folder";
  workplace.place(encode_segment(test::made_up_segment({1})));
  {
    const FolderLock lock = folder.lock();
    EXPECT_EQ(lock.state, State::kHeld);
    EXPECT_EQ(folder.lock().state, State::kTaken);
    EXPECT_EQ(test::in_child([&] { return folder_of(workplace).lock().state == State::kTaken; }), 0);
  }
  EXPECT_EQ(folder.lock().state, State::kHeld);
}

TEST(SegmentFolder, CanBeLockedByWhoMayOnlyReadTheLockFileAndNotWhereThereIsNone) {
  Workplace workplace;
  workplace.place(encode_segment(test::made_up_segment({1})));
  const auto state = [&] { return folder_of(workplace).lock().state; };
  EXPECT_EQ(workplace.in_child_without_writing([&] { return state() == State::kUnwritable; }), 0);
  EXPECT_EQ(state(), State::kHeld);
  std::filesystem::permissions(workplace.folder() / SegmentFolder::kLockFile, std::filesystem::perms{0444});
  EXPECT_EQ(workplace.in_child_without_writing([&] { return state() == State::kHeld; }), 0);
}

TEST(SegmentFolder, StoresOnceReplacesWhatIsDamagedAndUnlinksWhatIsGoneToo) {
  Workplace workplace;
  SegmentFolder folder = folder_of(workplace);
  const std::vector<std::byte> bytes = encode_segment(test::made_up_segment({1}));
  const Sha256 digest = sha256(bytes);
  EXPECT_EQ(folder.store(digest, bytes), std::nullopt);
  const FileStamp first = *FileStamp::of(folder.file_of(digest));
  EXPECT_EQ(folder.store(digest, bytes), std::nullopt);
  EXPECT_EQ(FileStamp::of(folder.file_of(digest)), first) << "it was whole";
  test::flip_bit(folder.file_of(digest), 8000);
  EXPECT_EQ(folder.store(digest, bytes), std::nullopt);
  EXPECT_TRUE(std::holds_alternative<SegmentFile>(read_segment_file(folder.file_of(digest))));
  EXPECT_TRUE(folder.unlink(digest));
  EXPECT_FALSE(std::filesystem::exists(folder.file_of(digest)));
  EXPECT_TRUE(folder.unlink(digest)) << "another process may have been faster";
}

}  // namespace
}  // namespace headstart

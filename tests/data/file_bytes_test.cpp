// tests/data/file_bytes_test.cpp
#include "data/file_bytes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/data/image_files.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class FileBytesTest : public ::testing::Test {
 protected:
  fs::path write(const std::string& name, const std::string& text) {
    std::ofstream(scratch_ / name, std::ios::binary) << text;
    return scratch_ / name;
  }
  static std::string reason(const fs::path& file, std::uint64_t max_bytes = 100) {
    const auto result = read_file(file, max_bytes);
    return std::holds_alternative<Reject>(result) ? std::get<Reject>(result).reason : "read";
  }

  test::ScratchFolder scratch_;
};

TEST_F(FileBytesTest, GivesEveryByte) {
  const std::string text("one\0two\n", 8);
  const auto result = read_file(write("file", text), text.size());
  ASSERT_TRUE(std::holds_alternative<std::vector<std::byte>>(result));
  EXPECT_EQ(std::get<std::vector<std::byte>>(result), test::bytes(text));
}

TEST_F(FileBytesTest, NamesWhatKeepsAFileFromBeingRead) {
  EXPECT_EQ(reason(scratch_ / "missing"), "cannot be opened: No such file or directory");
  EXPECT_EQ(reason(scratch_.path()), "is a folder, not a file");
  EXPECT_EQ(reason(write("nothing", "")), "is empty");
  EXPECT_EQ(reason(write("long", "12345"), 4), "has 5 bytes, more than the limit of 4");
}

TEST_F(FileBytesTest, NamesAMissingPermission) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const fs::path file = write("secret", "x");
  fs::permissions(file, fs::perms::none);
  EXPECT_EQ(reason(file), "cannot be opened: Permission denied");
}

TEST_F(FileBytesTest, DoesNotWaitForAFifoOrReadADevice) {
  ASSERT_EQ(::mkfifo((scratch_ / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(reason(scratch_ / "fifo"), "is not a regular file");
  EXPECT_EQ(reason("/dev/zero"), "is not a regular file");
}

TEST_F(FileBytesTest, ASparseGiantIsRefusedBeforeMemoryIsSpent) {
  const fs::path file = write("giant", "x");
  fs::resize_file(file, std::uint64_t{1} << 40);
  EXPECT_THAT(reason(file, kMaxImageFileBytes), HasSubstr("more than the limit"));
}

TEST_F(FileBytesTest, ALinkToItselfIsAReason) {
  fs::create_symlink("self", scratch_ / "self");
  EXPECT_THAT(reason(scratch_ / "self"), HasSubstr("cannot be opened"));
}

}  // namespace
}  // namespace headstart

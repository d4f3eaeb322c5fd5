// tests/pipeline/process/unfinished_file_test.cpp: where an output goes that is named by a link or a number.
#include "pipeline/process/unfinished_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string>

#include "data/error.hpp"
#include "data/file_descriptor.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using test::ScratchFolder;

/// As /dev/stdout and a shell's >(command) name it.
fs::path by_number(const FileDescriptor& descriptor) {
  return fmt::format("/proc/self/fd/{}", descriptor.get());
}

void write_whole(const fs::path& file, const std::string& text) {
  UnfinishedFile unfinished(file);
  std::ofstream(unfinished.path()) << text;
  unfinished.publish();
}

TEST(UnfinishedFile, APipeIsWrittenWhereItIs) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const FileDescriptor reader(ends[0]);
  const FileDescriptor writer(ends[1]);
  write_whole(by_number(writer), "text");
  std::string text(10, ' ');
  text.resize(static_cast<std::size_t>(read(reader.get(), text.data(), text.size())));
  EXPECT_EQ(text, "text");
}

TEST(UnfinishedFile, AnOpenFileThatWasRemovedIsNoPlaceForANewOne) {
  const ScratchFolder scratch;
  const FileDescriptor file(open((scratch / "f").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  fs::remove(scratch / "f");
  write_whole(by_number(file), "text");
  std::string text(4, ' ');
  EXPECT_EQ(pread(file.get(), text.data(), 4, 0), 4);
  EXPECT_EQ(text, "text");
  EXPECT_TRUE(fs::is_empty(scratch.path()));
}

TEST(UnfinishedFile, LinksAreFollowedAndStay) {
  const ScratchFolder scratch;
  fs::create_directories(scratch / "folder");
  fs::create_symlink("folder/f", scratch / "second");
  fs::create_symlink(scratch / "second", scratch / "first");
  for (const std::string text : {"new", "replaced"}) {  // at first the links lead nowhere
    write_whole(scratch / "first", text);
    EXPECT_TRUE(fs::is_symlink(scratch / "first"));
    EXPECT_TRUE(fs::is_symlink(scratch / "second"));
    EXPECT_EQ(test::read_text((scratch / "folder/f").string()), text);
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(scratch / "folder"), {}), 1);
}

TEST(UnfinishedFile, LinksInACircleAreRefusedAtOnce) {
  const ScratchFolder scratch;
  fs::create_symlink("b", scratch / "a");
  fs::create_symlink("a", scratch / "b");
  try {
    const UnfinishedFile unfinished(scratch / "a");
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("Too many levels of symbolic links"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace headstart

// tests/features/cache/checked_file_test.cpp
#include "features/cache/checked_file.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "tests/support/process.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using test::ScratchFolder;

constexpr const char* kKind = "a kind of file 1";

void write_bytes(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void write_numbers(const fs::path& file, const std::vector<std::uint64_t>& first,
                   const std::vector<std::uint8_t>& second) {
  const std::array sections{std::as_bytes(std::span(first)), std::as_bytes(std::span(second))};
  ASSERT_EQ(CheckedFile::write(file, kKind, sections), std::nullopt);
}

TEST(CheckedFile, GivesBackTheSections) {
  const ScratchFolder scratch;
  const fs::path file = scratch / "folder" / "file";
  const std::vector<std::uint64_t> first{1, 2, 3};
  const std::vector<std::uint8_t> second{4, 5, 6, 7, 8};
  write_numbers(file, first, second);
  const std::optional<CheckedFile> read = CheckedFile::read(file, kKind);
  ASSERT_TRUE(read);
  EXPECT_TRUE(std::ranges::equal(read->section<std::uint64_t>(0), first));
  EXPECT_TRUE(std::ranges::equal(read->section<std::uint8_t>(1), second));
  EXPECT_TRUE(read->section<std::uint64_t>(1).empty()) << "five bytes are no whole number of these";
  EXPECT_TRUE(read->section<std::uint64_t>(2).empty());
  EXPECT_FALSE(CheckedFile::read(file, "a kind of file 2"));
  EXPECT_FALSE(CheckedFile::read(scratch / "missing", kKind));
}

TEST(CheckedFile, DamageAnywhereIsSeen) {
  const ScratchFolder scratch;
  const fs::path file = scratch / "file";
  write_numbers(file, {1, 2, 3}, {4, 5});
  const std::string whole = test::read_text(file.string());
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    write_bytes(file, flipped);
    EXPECT_FALSE(CheckedFile::read(file, kKind)) << "byte " << at;
    write_bytes(file, whole.substr(0, at));
    EXPECT_FALSE(CheckedFile::read(file, kKind)) << "cut to " << at;
  }
  write_bytes(file, whole + "x");
  EXPECT_FALSE(CheckedFile::read(file, kKind));
  write_bytes(file, whole);
  EXPECT_TRUE(CheckedFile::read(file, kKind));
}

}  // namespace
}  // namespace headstart

// tests/data/file_kind_test.cpp: what is an image, by name and by first bytes.
#include "data/file_kind.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

TEST(FileKind, TheSuffixDecidesInAnyCase) {
  for (const char* name : {"a.jpg", "a.JPEG", "x.txt/a.Png", "a.b.webp", "a.heic"})
    EXPECT_EQ(kind_by_name(name), FileKind::kImage) << name;
  for (const char* name : {"a.json", "a.jpg.XML", "x.jpg/labels.csv", "page.html", "set.tar.gz"})
    EXPECT_EQ(kind_by_name(name), FileKind::kSideFile) << name;
  for (const char* name : {"a", "a.", "IMG_0001", "a.jpg_large", "x.jpg/a"})
    EXPECT_EQ(kind_by_name(name), std::nullopt) << name;
}

TEST(FileKind, FirstBytesDecideWhereTheSuffixDoesNot) {
  const test::ScratchFolder scratch;
  const auto kind = [&](const std::string& name, const std::string& content) {
    std::ofstream(scratch / name, std::ios::binary) << content;
    return kind_of_file(scratch / name);
  };
  const std::string zeros(20, '\0');
  EXPECT_EQ(kind("a", "\xFF\xD8\xFF\xE1"), FileKind::kImage);
  EXPECT_EQ(kind("b", "RIFF1234WEBPVP8 "), FileKind::kImage);
  EXPECT_EQ(kind("c", "BM1234" + zeros), FileKind::kImage);
  EXPECT_EQ(kind("d", "P5\n3 2\n255\n"), FileKind::kImage);
  EXPECT_EQ(kind("e", std::string("\0\0\0\x18", 4) + "ftypheic"), FileKind::kImage);
  EXPECT_EQ(kind("f", "RIFF1234WAVEfmt "), FileKind::kSideFile);
  EXPECT_EQ(kind("g", "BMW and other cars"), FileKind::kSideFile);
  EXPECT_EQ(kind("h", "P53 is a gene"), FileKind::kSideFile);
  EXPECT_EQ(kind("i", ""), FileKind::kSideFile);
  EXPECT_EQ(kind("j", std::string("\0\0\0\x18", 4) + "ftypisom"), FileKind::kSideFile);
  // A name that says what it is isn't opened.
  EXPECT_EQ(kind("k.jpg", "<html>"), FileKind::kImage);
  EXPECT_EQ(kind("l.txt", "\xFF\xD8\xFF\xE1"), FileKind::kSideFile);
  EXPECT_EQ(kind_of_file(scratch / "missing"), FileKind::kImage);
}

TEST(FileKind, ClutterIsKnownByItsName) {
  for (const char* name : {".DS_Store", "._a.jpg", "__MACOSX", "THUMBS.DB", "desktop.ini", "@eaDir"})
    EXPECT_TRUE(is_clutter(name)) << name;
  for (const char* name : {"a.jpg", "MACOSX", "thumbs", "eaDir"}) EXPECT_FALSE(is_clutter(name)) << name;
}

}  // namespace
}  // namespace headstart

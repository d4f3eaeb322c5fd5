// tests/data/dataset/archive_list_test.cpp
#include "data/dataset/archive_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/error.hpp"
#include "tests/support/archive_file.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <class Call>
std::string failure(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return std::to_string(exit_code(error.kind())) + " " + error.what();
  }
  return "none";
}

TEST(ArchiveList, BracesCountUpAndArePaddedLikeTheFirstNumber) {
  EXPECT_THAT(expand_braces("a-{08..11}.tar"), ElementsAre("a-08.tar", "a-09.tar", "a-10.tar", "a-11.tar"));
  EXPECT_THAT(expand_braces("{9..11}"), ElementsAre("9", "10", "11"));
  EXPECT_THAT(expand_braces("{0..1}{7..8}"), ElementsAre("07", "08", "17", "18"));
  EXPECT_THAT(expand_braces("{000..000}"), ElementsAre("000"));
}

TEST(ArchiveList, OtherBracesArePlainText) {
  for (const char* text : {"a.tar", "{a..b}", "{1..}", "{2..1}", "{1,2}", "{1..2", "}{", "{-1..2}",
                           "{99999999999999999999..99999999999999999999}"}) {
    EXPECT_FALSE(has_number_braces(text)) << text;
    EXPECT_THAT(expand_braces(text), ElementsAre(text));
  }
  EXPECT_THAT(expand_braces("{x}{1..2}"), ElementsAre("{x}1", "{x}2"));
}

TEST(ArchiveList, APatternForTooManyIsRefusedBeforeItIsExpanded) {
  EXPECT_THAT(failure([] { static_cast<void>(expand_braces("{0..18446744073709551615}.tar")); }),
              HasSubstr("2 the pattern stands for too many archives"));
  EXPECT_THAT(failure([] { static_cast<void>(expand_braces("{0..9999}{0..9999}{0..9999}")); }),
              HasSubstr("too many"));
}

TEST(ArchiveList, NamesOfArchivesEndLikeThis) {
  for (const char* name : {"a.tar", "A.TAR", "a.tar.gz", "a.tgz", "a.tar.zst", "a.tar.bz2", "a.zip"})
    EXPECT_TRUE(is_archive_name(name)) << name;
  for (const char* name : {"tar", "a.gz", "a.tar.txt", "a.jpg", ""})
    EXPECT_FALSE(is_archive_name(name)) << name;
}

TEST(ArchiveList, AFolderOfArchivesHoldsNothingElse) {
  const test::ScratchFolder scratch;
  EXPECT_TRUE(archives_in(scratch.path()).empty());
  for (const char* name : {"b.zip", "a.tar", ".DS_Store"}) test::write_bytes(scratch / name, "x");
  EXPECT_EQ(archives_in(scratch.path()),
            (std::vector<NamedArchive>{{"a.tar", scratch / "a.tar"}, {"b.zip", scratch / "b.zip"}}));
  std::filesystem::create_directory(scratch / "folder.tar");
  EXPECT_TRUE(archives_in(scratch.path()).empty());
  std::filesystem::remove(scratch / "folder.tar");
  test::write_bytes(scratch / "c.jpg", "x");
  EXPECT_TRUE(archives_in(scratch.path()).empty());
}

TEST(ArchiveList, AListIsRelativeToItself) {
  const test::ScratchFolder scratch;
  for (const char* name : {"a.tar", "s-0.tar", "s-1.tar"}) test::write_bytes(scratch / name, "x");
  const auto file = scratch / "set.list";
  test::write_bytes(file, "# shards\r\n\na.tar\r\ns-{0..1}.tar\n" + (scratch / "a.tar").string());
  EXPECT_THAT(
      read_archive_list(file, OutsidePaths::kRefused),
      ElementsAre(NamedArchive{"a.tar", scratch / "a.tar"}, NamedArchive{"s-0.tar", scratch / "s-0.tar"},
                  NamedArchive{"s-1.tar", scratch / "s-1.tar"},
                  NamedArchive{(scratch / "a.tar").string(), scratch / "a.tar"}));
  test::write_bytes(file, "a.tar\nmissing.tar\n");
  EXPECT_THAT(failure([&] { static_cast<void>(read_archive_list(file, OutsidePaths::kRefused)); }),
              AllOf(HasSubstr("2 cannot find an archive"), HasSubstr("set.list, line 2: missing.tar")));
}

TEST(ArchiveList, AListMayNameArchivesBelowItsFolderOnly) {
  const test::ScratchFolder scratch;
  std::filesystem::create_directories(scratch / "set" / "sub");
  for (const char* name : {"out.tar", "out-0.tar", "out-1.tar", "set/in.tar", "set/..in.tar"})
    test::write_bytes(scratch / name, "x");
  const auto file = scratch / "set" / "set.txt";
  const auto about = [&](const std::string& name, OutsidePaths outside) {
    test::write_bytes(file, "in.tar\n# comment\n" + name + "\n");
    return failure([&] { static_cast<void>(read_archive_list(file, outside)); });
  };
  const std::string root = scratch.path().string();
  for (const std::string& inside :
       {std::string("in.tar"), std::string("./in.tar"), std::string("..in.tar"), root + "/set/in.tar"})
    EXPECT_EQ(about(inside, OutsidePaths::kRefused), "none");
  for (const std::string& outside :
       {std::string("../out.tar"), std::string("sub/../../out.tar"), root + "/out.tar",
        root + "/set/../out.tar", std::string("sub/../in.tar")}) {
    EXPECT_THAT(about(outside, OutsidePaths::kRefused),
                AllOf(HasSubstr("1 cannot read the dataset: path '" + outside + "' may lead out"),
                      HasSubstr("set.txt, line 3: "), HasSubstr("--allow-outside")));
    EXPECT_EQ(about(outside, OutsidePaths::kAllowed), "none");
  }
  EXPECT_THAT(about("../out-{0..1}.tar", OutsidePaths::kRefused), HasSubstr("path '../out-0.tar' may lead"));
  EXPECT_EQ(about("../out-{0..1}.tar", OutsidePaths::kAllowed), "none");
  // Whether there is such a file is not told.
  EXPECT_EQ(about("../missing.tar", OutsidePaths::kRefused).find("cannot find"), std::string::npos);
}

TEST(ArchiveList, APatternMayLeadAnywhere) {
  const test::ScratchFolder scratch;
  std::filesystem::create_directories(scratch / "set");
  test::write_bytes(scratch / "s-0.tar", "x");
  EXPECT_EQ(expand_archive_pattern(scratch / "set" / ".." / "s-{0..0}.tar").size(), 1U);
}

TEST(ArchiveList, APatternNamesItsArchivesWithoutTheFolder) {
  const test::ScratchFolder scratch;
  for (const char* name : {"s-0.tar", "s-1.tar"}) test::write_bytes(scratch / name, "x");
  EXPECT_THAT(expand_archive_pattern(scratch / "s-{0..1}.tar"),
              ElementsAre(NamedArchive{"s-0.tar", scratch / "s-0.tar"},
                          NamedArchive{"s-1.tar", scratch / "s-1.tar"}));
  EXPECT_THAT(failure([&] { static_cast<void>(expand_archive_pattern(scratch / "s-{0..2}.tar")); }),
              HasSubstr("s-2.tar"));
}

}  // namespace
}  // namespace headstart

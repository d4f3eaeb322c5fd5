// tests/data/dataset/labels_csv_test.cpp: lists as tools, spreadsheets and other systems write them.
#include "data/dataset/labels_csv.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "data/error.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LabelsCsvTest : public testing::Test {
 protected:
  Manifest parse(std::string_view text, const std::string& encoding = "") {
    return parse_labels_csv(text, scratch_ / "labels.csv", OutsidePaths::kRefused, encoding);
  }

  std::string message_of(std::string_view text, const std::string& encoding = "") {
    try {
      static_cast<void>(parse(text, encoding));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Error::Kind::kFailed);
      return error.what();
    }
    return "read";
  }

  void add(const std::string& name) {
    std::filesystem::create_directories((scratch_ / name).parent_path());
    std::ofstream(scratch_ / name) << "x";
  }

  ScratchFolder scratch_;
};

std::string utf16(std::string_view ascii, bool low_first) {
  std::string text = low_first ? "\xff\xfe" : "\xfe\xff";
  for (const char c : ascii) text += low_first ? std::string{c, '\0'} : std::string{'\0', c};
  return text;
}

TEST_F(LabelsCsvTest, EncodingsAndSeparatorsOfSpreadsheetsAreRead) {
  const std::string plain = "path,label\na.jpg,cat\nb.jpg,dog\n";
  std::string semicolons = plain;
  std::string tabs = plain;
  std::replace(semicolons.begin(), semicolons.end(), ',', ';');
  std::replace(tabs.begin(), tabs.end(), ',', '\t');
  for (const std::string& text :
       {plain, semicolons, tabs, "\xef\xbb\xbf" + plain, utf16(plain, true), utf16(plain, false),
        utf16(tabs, true), "sep=;\r\n" + semicolons, ",path,label\n0,a.jpg,cat\n1,b.jpg,dog\n"s,
        "\"Image\";\"Class\"\r\n\"a.jpg\";\"cat\"\r\nb.jpg;dog"s}) {
    const Manifest manifest = parse(text);
    EXPECT_THAT(manifest.classes, ElementsAre("cat", "dog")) << text;
    ASSERT_EQ(manifest.samples.size(), 2U);
    EXPECT_EQ(manifest.samples[1].path, "b.jpg");
    EXPECT_THAT(manifest.notes, IsEmpty());
  }
}

TEST_F(LabelsCsvTest, ZeroBytesWithoutAMarkNeedTheEncoding) {
  const std::string text = utf16("path,label\na.jpg,cat\n", true).substr(2);
  EXPECT_THAT(message_of(text), HasSubstr("UTF-16 without a byte order mark has: "));
  EXPECT_THAT(message_of(text), HasSubstr("--encoding utf-16le"));
  EXPECT_EQ(parse(text, "utf-16le").samples.size(), 1U);
  for (const char* encoding : {"", "latin1"}) {
    EXPECT_THAT(message_of("path,label\na\0,b\n"s, encoding), HasSubstr("it has a zero byte: "));
    EXPECT_THAT(message_of("path,label\na\0,b\n"s, encoding), HasSubstr("labels.csv, line 2: take"));
  }
  EXPECT_THAT(message_of("path,label\nab\0\0\0\0,b\n"s), HasSubstr("line 2: take"));
  EXPECT_THAT(message_of("\xff\xfe"
                         "a"),
              HasSubstr("not in the encoding"));
}

TEST_F(LabelsCsvTest, AFileOfAnotherKindSaysWhatItIs) {
  EXPECT_THAT(message_of("PK\3\4\x14\0\0\0"s), HasSubstr("it begins as a .zip or .xlsx file does: "));
  EXPECT_THAT(message_of("PK\3\4\x14\0\0\0"s), HasSubstr("save the table as .csv"));
  EXPECT_THAT(message_of("\x1f\x8b\x08\0"s, "latin1"), HasSubstr("it begins as a .gz file does: "));
  EXPECT_THAT(message_of("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), HasSubstr("it begins as an .xls file does: "));
}

TEST_F(LabelsCsvTest, LabelsThatAreNotUtf8NeedTheEncoding) {
  const std::string text = "path,label\ncaf\xe9.jpg,caf\xe9\nb.jpg,dog\n";
  EXPECT_THAT(message_of(text), HasSubstr("the class name 'caf\\xe9' is not UTF-8"));
  EXPECT_THAT(message_of(text), HasSubstr("labels.csv, line 2: it looks like latin1 (café)"));
  EXPECT_THAT(parse(text, "latin1").classes, ElementsAre("café", "dog"));
  // A file keeps its bytes, unless it is only there as UTF-8.
  EXPECT_EQ(parse(text, "latin1").samples[0].path, "caf\xe9.jpg");
  add("café.jpg");
  EXPECT_EQ(parse(text, "latin1").samples[0].path, "café.jpg");
  add("caf\xe9.jpg");
  EXPECT_EQ(parse(text, "latin1").samples[0].path, "caf\xe9.jpg");
  EXPECT_EQ(parse("path,label\ncaf\xe9.jpg,cat\nb.jpg,dog\n").samples[0].path, "caf\xe9.jpg");
}

TEST_F(LabelsCsvTest, TheEncodingHoldsForAllOfAListThatIsNotUtf8) {
  // The bytes of the first label are an "e" with a grave accent in UTF-8.
  const std::string gbk = "path,label\n\xc3\xa8.jpg,\xc3\xa8\n\xb9\xb7.jpg,\xb9\xb7\n";
  EXPECT_THAT(parse(gbk, "gbk").classes, ElementsAre("狗", "猫"));
  EXPECT_EQ(parse(gbk, "gbk").samples[0].path, "\xc3\xa8.jpg");
  add("猫.jpg");
  EXPECT_EQ(parse(gbk, "gbk").samples[0].path, "猫.jpg");
  add("\xc3\xa8.jpg");
  EXPECT_EQ(parse(gbk, "gbk").samples[0].path, "\xc3\xa8.jpg");
  // A list that is UTF-8 stays so.
  EXPECT_THAT(parse("path,label\na.jpg,è\nb.jpg,x~\n", "shift-jis").classes, ElementsAre("x~", "è"));
}

TEST_F(LabelsCsvTest, EncodingsThatUseAsciiWithinLettersAreRead) {
  add("ポ/1.jpg");
  const std::string shift_jis = "path,label\n\x83\x7c\\1.jpg,\x83\x7c\nb~.jpg,a~b\n";
  EXPECT_THAT(parse(shift_jis, "shift-jis").classes, ElementsAre("a~b", "ポ"));
  EXPECT_EQ(parse(shift_jis, "shift-jis").samples[0].path, "ポ/1.jpg");
  // Behind the escape, bytes of commas and quotes are parts of letters.
  add("い.jpg");
  const std::string jis = "path,label\n\x1b$B$$\x1b(B.jpg,\x1b$B$,\x1b(B\nb.jpg,dog\n";
  EXPECT_THAT(parse(jis, "iso-2022-jp").classes, ElementsAre("dog", "が"));
  EXPECT_EQ(parse(jis, "iso-2022-jp").samples[0].path, "い.jpg");
}

TEST_F(LabelsCsvTest, SplitsAreWordsOrMarks) {
  const auto splits = [&](const std::string& text) {
    std::string result;
    for (const Sample& sample : parse(text).samples) result += std::string(to_string(sample.split)) + " ";
    return result;
  };
  EXPECT_EQ(splits("path,label,Set\na,x,Train\nb,y,VALID\nc,x,testing\n"), "train validation test ");
  EXPECT_EQ(splits("fname,label,is_valid\na,x,False\nb,y,True\n"), "train validation ");
  EXPECT_EQ(splits("fname,label,is_valid,is_test\na,x,0,0\nb,y,1,0\nc,x,0,1\n"), "train validation test ");
  EXPECT_THAT(message_of("path,label,set\na,x,blue\n"), HasSubstr("line 2: "));
  EXPECT_THAT(message_of("path,label,set\na,x,blue\n"), HasSubstr("set is 'blue'"));
  EXPECT_THAT(message_of("path,label,is_valid\na,x,maybe\n"), HasSubstr("is_valid is 'maybe'"));
  EXPECT_THAT(message_of("path,label,is_valid,is_test\na,x,1,1\n"), HasSubstr("for validation and for test"));
}

TEST_F(LabelsCsvTest, ColumnsThatAreNotUsedAreNamedOnce) {
  EXPECT_THAT(parse("path,label,fold,weight\na,x,1,2\nb,y,1,2\n").notes,
              ElementsAre(testing::_, "labels.csv: columns are not used: 'fold', 'weight'"));
  EXPECT_THAT(parse("path,label,fold\na.jpg,x,1\n").notes,
              ElementsAre("labels.csv: a column is not used: 'fold'"));
}

TEST_F(LabelsCsvTest, BackslashesAreFoldersWhereThatFileIs) {
  add("cat/a.jpg");
  const Manifest manifest = parse("path,label\ncat\\a.jpg,cat\ndog\\b.jpg,dog\n");
  EXPECT_EQ(manifest.samples[0].path, "cat/a.jpg");
  EXPECT_EQ(manifest.samples[1].path, "dog\\b.jpg");
  EXPECT_THAT(manifest.notes,
              ElementsAre(HasSubstr("1 path with \\ read as with /: 'cat\\a.jpg' (line 2)"),
                          HasSubstr("1 path with \\ not found, nor with /: 'dog\\b.jpg' (line 3)")));
  add("cat\\a.jpg");
  EXPECT_EQ(parse("path,label\ncat\\a.jpg,cat\n").samples[0].path, "cat\\a.jpg");
  EXPECT_THAT(message_of("path,label\n..\\a.jpg,cat\n"), HasSubstr("may lead out"));
}

TEST_F(LabelsCsvTest, NamesWithoutASuffixStandForTheOneImage) {
  for (const char* file : {"in/1.jpg", "in/2.PNG", "in/2.txt", "in/3.jpg", "in/3.png", "in/4", "in/5.a.jpg"})
    add(file);
  const Manifest manifest = parse("id,label\nin/1,x\nin/2,x\nin/3,x\nin/4,x\nin/5.a,x\nin/6,x\n");
  std::vector<std::string> paths;
  for (const Sample& sample : manifest.samples) paths.push_back(sample.path);
  EXPECT_THAT(paths, ElementsAre("in/1.jpg", "in/2.PNG", "in/3", "in/4", "in/5.a.jpg", "in/6"));
  EXPECT_EQ(manifest.samples[0].source.file, scratch_ / "in/1.jpg");
  EXPECT_THAT(manifest.notes,
              ElementsAre(HasSubstr("3 paths without a suffix: the one image"),
                          HasSubstr("1 path without a suffix stand for several images each: 'in/3' (line 4)"),
                          HasSubstr("without a suffix not found")));
}

TEST_F(LabelsCsvTest, ALabelOfBlanksOnlyIsEmpty) {
  for (const char* blanks : {"", " ", "\t ", "\xc2\xa0", "\xe3\x80\x80"})
    EXPECT_THAT(message_of("path,label\na.jpg,cat\nb.jpg,\"" + std::string(blanks) + "\"\n"),
                HasSubstr("label is empty: "));
  EXPECT_THAT(parse("path,label\na.jpg, cat\n").classes, ElementsAre(" cat"));
}

TEST_F(LabelsCsvTest, AnImageHasOneLabel) {
  EXPECT_THAT(message_of("path,label\na.jpg,cat|dog\n"), HasSubstr("label 'cat|dog' names several classes"));
}

}  // namespace
}  // namespace headstart::test

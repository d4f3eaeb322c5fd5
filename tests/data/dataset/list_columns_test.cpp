// tests/data/dataset/list_columns_test.cpp
#include "data/dataset/list_columns.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/error.hpp"

namespace headstart::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Header = std::vector<std::string>;

std::string message_of(const Header& header) {
  try {
    static_cast<void>(find_columns(header, "labels.csv, line 1"));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::kFailed);
    return error.what();
  }
  return "found";
}

TEST(ListColumns, NamesOfManyToolsAreKnown) {
  const std::vector<Header> headers{
      {"path", "label"},  {"file_name", "label"},       {"Path", "Label"},       {"filename", "class"},
      {"image", "label"}, {"IMAGE_PATH", "Class Name"}, {"filepaths", "labels"}, {"fname", "labels"},
      {"name", "label"},  {"image_id", "target"},       {"id", "label"},         {"FilePath", "category"},
      {"img", "y"},       {"image_name", "tags"},       {"file", "class_id"},    {"File Name", "Label"}};
  for (const Header& header : headers) {
    const ListColumns columns = find_columns(header, "list");
    EXPECT_EQ(columns.path, 0U) << header[0];
    EXPECT_EQ(columns.label, 1U) << header[1];
    EXPECT_THAT(columns.unused, IsEmpty());
  }
}

TEST(ListColumns, SplitsAndGroupsAreFoundAndTheRestIsNamed) {
  const ListColumns columns =
      find_columns({"class id", "filepaths", "labels", "data set", "scientific name", "group"}, "list");
  EXPECT_EQ(columns.path, 1U);
  EXPECT_EQ(columns.label, 2U);
  EXPECT_EQ(columns.split, 3U);
  EXPECT_EQ(columns.group, 5U);
  EXPECT_THAT(columns.unused, ElementsAre("class id", "scientific name"));
  const ListColumns marked = find_columns({"fname", "label", "is_valid", "is_test"}, "list");
  EXPECT_EQ(marked.is_validation, 2U);
  EXPECT_EQ(marked.is_test, 3U);
}

TEST(ListColumns, TheIndexOfPandasIsPassedOver) {
  EXPECT_THAT(find_columns({"", "path", "label"}, "list").unused, IsEmpty());
  EXPECT_THAT(find_columns({"Unnamed: 0", "path", "label", "fold"}, "list").unused, ElementsAre("fold"));
}

TEST(ListColumns, AWeakNameYieldsToAStrongOne) {
  const ListColumns columns = find_columns({"id", "image", "class_id", "class", "name"}, "list");
  EXPECT_EQ(columns.path, 1U);
  EXPECT_EQ(columns.label, 3U);
  EXPECT_THAT(columns.unused, ElementsAre("id", "class_id", "name"));
}

TEST(ListColumns, WhatIsMissingOrAmbiguousIsNamed) {
  EXPECT_THAT(
      message_of({"cat/1.jpg", "cat"}),
      HasSubstr("no column is the path of the image; there is 'cat/1.jpg', 'cat': labels.csv, line 1"));
  EXPECT_THAT(message_of({"path", "breed"}), HasSubstr("no column is the label; there is 'path', 'breed'"));
  EXPECT_THAT(message_of({"path", "filename", "label"}),
              HasSubstr("columns 'path' and 'filename' may both be the path of the image"));
  EXPECT_THAT(message_of({"path", "label", "Label"}), HasSubstr("'label' and 'Label' may both be the label"));
  EXPECT_THAT(message_of({"path", "label", "split", "is_valid"}),
              HasSubstr("'split' and 'is_valid' both say"));
}

TEST(ListColumns, TheHeaderTellsTheSeparator) {
  EXPECT_EQ(separator_of("path,label"), ',');
  EXPECT_EQ(separator_of("path;label"), ';');
  EXPECT_EQ(separator_of("path\tlabel"), '\t');
  EXPECT_EQ(separator_of("path;label;note, or nothing, or so"), ';');
  EXPECT_EQ(separator_of("\"image\";\"class\";\"a,b,c\""), ';');
  EXPECT_EQ(separator_of("a;b;c,d"), ';');
  EXPECT_EQ(separator_of(""), ',');
}

}  // namespace
}  // namespace headstart::test

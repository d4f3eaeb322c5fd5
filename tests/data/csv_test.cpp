// tests/data/csv_test.cpp
#include "data/csv.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "data/error.hpp"

namespace headstart {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string message_about(const std::string& text) {
  try {
    static_cast<void>(parse_csv(text, "labels.csv"));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::kFailed);
    return error.what();
  }
  return "parsed";
}

TEST(CsvTest, ReadsQuotesCommasAndLineEndsInsideQuotes) {
  const CsvTable table = parse_csv("a,b\n\"x,\"\"y\"\"\",\"two\nlines\"\n", "labels.csv");
  EXPECT_THAT(table.header, ElementsAre("a", "b"));
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_THAT(table.rows[0].fields, ElementsAre("x,\"y\"", "two\nlines"));
}

TEST(CsvTest, SkipsByteOrderMarkAndBlankLinesAndReadsCrLf) {
  const CsvTable table = parse_csv(
      "\xEF\xBB\xBF"
      "a,b\r\n\r\n1,2\r\n\n3,4",
      "labels.csv");
  EXPECT_THAT(table.header, ElementsAre("a", "b"));
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_THAT(table.rows[0].fields, ElementsAre("1", "2"));
  EXPECT_THAT(table.rows[1].fields, ElementsAre("3", "4"));
}

TEST(CsvTest, CountsLinesInsideQuotes) {
  const CsvTable table = parse_csv("a\n\"1\n2\"\n3\n", "labels.csv");
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_EQ(table.rows[0].line, 2U);
  EXPECT_EQ(table.rows[1].line, 4U);
}

TEST(CsvTest, NamesFileAndLineOfWhatIsWrong) {
  EXPECT_THAT(message_about("a,b\n1,2\n3\n"),
              HasSubstr("1 fields, where the header has 2: labels.csv, line 3: "));
  EXPECT_THAT(message_about("a\n\"open\nstill\n"),
              HasSubstr("a quote is never closed: labels.csv, line 2: "));
  EXPECT_THAT(message_about("a\nx\"y\n"),
              HasSubstr("a quote inside an unquoted field: labels.csv, line 2: "));
  EXPECT_THAT(message_about("a\n\"x\"y\n"), HasSubstr("text follows a closing quote: labels.csv, line 2: "));
  EXPECT_THAT(message_about("\n"), HasSubstr("there is no header: labels.csv, line 1: "));
}

TEST(CsvReader, ReadsRecordByRecordWithinALimitOfFields) {
  const std::string text = "a,b\n1,\"2\n\"\n3,4,5\n";
  CsvReader reader(text, "labels.csv", ',', 2);
  CsvTable::Row row;
  ASSERT_TRUE(reader.next(row));
  EXPECT_THAT(row.fields, ElementsAre("a", "b"));
  ASSERT_TRUE(reader.next(row));
  EXPECT_THAT(row.fields, ElementsAre("1", "2\n"));
  EXPECT_EQ(row.line, 2U);
  try {
    static_cast<void>(reader.next(row));
    ADD_FAILURE() << "three fields were read";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("more than 2 fields: labels.csv, line 4: "));
  }
}

TEST(CsvTest, KeepsACarriageReturnThatEndsNoLine) {
  EXPECT_THAT(parse_csv("a,b\n1\r2,3\r\n", "labels.csv").rows[0].fields, ElementsAre("1\r2", "3"));
}

TEST(CsvTest, QuotesOnlyWhatNeedsQuotes) {
  EXPECT_EQ(csv_line({"plain text", "a,b", "say \"hi\"", "two\nlines", ""}),
            "plain text,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",\n");
}

TEST(CsvTest, AByteOrderMarkInsideTheFirstFieldSurvives) {
  const std::string name =
      "\xEF\xBB\xBF"
      "a";
  EXPECT_THAT(parse_csv(csv_line({name, "b"}), "labels.csv").header, ElementsAre(name, "b"));
}

RC_GTEST_PROP(CsvProperty, WhatIsWrittenIsReadBack, ()) {
  const auto width = *rc::gen::inRange<std::size_t>(1, 4);
  const auto character = rc::gen::element('a', ',', '"', '\n', '\r', ' ', '\0', '\xff');
  const auto field = rc::gen::container<std::string>(character);
  const auto rows = *rc::gen::container<std::vector<std::vector<std::string>>>(
      rc::gen::container<std::vector<std::string>>(width, field));
  std::string text = csv_line(std::vector<std::string>(width, "column"));
  for (const auto& row : rows) text += csv_line(row);
  const CsvTable table = parse_csv(text, "labels.csv");
  RC_ASSERT(table.rows.size() == rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) RC_ASSERT(table.rows[i].fields == rows[i]);
}

}  // namespace
}  // namespace headstart

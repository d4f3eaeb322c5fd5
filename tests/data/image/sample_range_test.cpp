// tests/data/image/sample_range_test.cpp: ranges as people write them, and what they make of samples.
#include "data/image/sample_range.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "data/image/decode.hpp"
#include "tests/data/image_files.hpp"

namespace headstart {
namespace {

using ::testing::ElementsAre;

std::vector<std::uint8_t> narrowed(std::vector<std::uint16_t> values, const char* range) {
  return narrow({.values = std::move(values)}, high_bytes(16), parse_sample_range(range)).bytes;
}

TEST(SampleRangeTest, ReadsValuesAndPercentiles) {
  EXPECT_EQ(parse_sample_range("0:4095"), (SampleRange{0, 4095, false}));
  EXPECT_EQ(parse_sample_range("1%:99.5%"), (SampleRange{1, 99.5, true}));
  for (const char* const range : {"0:4095", "100.5:65535", "0%:100%", "1%:99.5%"})
    EXPECT_EQ(to_string(parse_sample_range(range).value()), range);
}

TEST(SampleRangeTest, RefusesEverythingElse) {
  for (const char* const text :
       {"",        ":",   "0",     "0:",  ":1",    "1:1",   "2:1",   "-1:5",  "0:65536", "0%:1", "0:1%",
        "0%:101%", "%:%", "0:1:2", "a:b", "0 : 1", "nan:1", "0:inf", "0x1:2", " 0:1",    "0:1 "})
    EXPECT_FALSE(parse_sample_range(text)) << text;
}

TEST(SampleRangeTest, WithoutOneTheHighByteCounts) {
  const NarrowedSamples result =
      narrow({.values = {0, 255, 256, 32767, 32768, 65535}}, high_bytes(16), std::nullopt);
  EXPECT_THAT(result.bytes, ElementsAre(0, 0, 1, 127, 128, 255));
  EXPECT_EQ(result.note, "");
  EXPECT_THAT(narrow({.values = {0, 15, 16, 4095}}, high_bytes(12), std::nullopt).bytes,
              ElementsAre(0, 0, 1, 255));
}

TEST(SampleRangeTest, ValuesMapInProportionAndAreCutOff) {
  EXPECT_THAT(narrowed({0, 1000, 1001, 1500, 2000, 2001, 65535}, "1000:2000"),
              ElementsAre(0, 0, 0, 128, 255, 255, 255));
  EXPECT_THAT(narrowed({0, 8, 9, 4087, 4095}, "0:4095"), ElementsAre(0, 0, 1, 255, 255));
}

TEST(SampleRangeTest, PercentilesAreThoseOfTheImage) {
  std::vector<std::uint16_t> values(101);
  std::iota(values.begin(), values.end(), std::uint16_t{500});
  EXPECT_THAT(narrowed({500, 600}, "0%:100%"), ElementsAre(0, 255));
  const std::vector<std::uint8_t> bytes = narrowed(values, "10%:90%");
  // 10.1 samples are 10 %: the eleventh, 510, is black; the 91st, 590, is white.
  EXPECT_EQ(bytes[10], 0);
  EXPECT_EQ(bytes[11], 3);
  EXPECT_EQ(bytes[50], 128);
  EXPECT_EQ(bytes[89], 252);
  EXPECT_EQ(bytes[90], 255);
  EXPECT_EQ(bytes[100], 255);
  EXPECT_THAT(narrowed({7, 7}, "1%:99%"), ElementsAre(0, 0)) << "an image of one value is black";
}

TEST(SampleRangeTest, AlphaIsNeverMapped) {
  const WideSamples samples{.values = {100, 65535, 200, 256}, .channels = 2, .has_alpha = true};
  EXPECT_THAT(narrow(samples, high_bytes(16), parse_sample_range("100:200")).bytes,
              ElementsAre(0, 255, 255, 1));
  EXPECT_THAT(narrow(samples, high_bytes(16), parse_sample_range("0%:100%")).bytes,
              ElementsAre(0, 255, 255, 1));
  EXPECT_EQ(narrow(samples, high_bytes(16), std::nullopt).note, kNarrowRangeNote);
}

TEST(SampleRangeTest, LessThanAQuarterIsNotedUnlessARangeIsGiven) {
  const auto note = [](std::uint16_t brightest, const char* range) {
    return narrow({.values = {0, brightest}}, high_bytes(16), parse_sample_range(range)).note;
  };
  EXPECT_EQ(note(4095, ""), kNarrowRangeNote);
  EXPECT_EQ(note(16383, ""), kNarrowRangeNote);
  EXPECT_EQ(note(16384, ""), "");
  EXPECT_EQ(note(0, ""), "") << "a black picture";
  EXPECT_EQ(note(4095, "0:4095"), "");
}

}  // namespace
}  // namespace headstart

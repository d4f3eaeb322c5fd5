// tests/data/dataset/class_names_test.cpp
#include "data/dataset/class_names.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/error.hpp"

namespace headstart::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Manifest made_of(const std::vector<std::string>& classes) {
  Manifest manifest;
  manifest.classes = classes;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    Sample sample;
    sample.path = std::to_string(i);
    sample.label = static_cast<Label>(i);
    manifest.samples.push_back(sample);
  }
  manifest.samples.push_back({"damaged", {}, kNoLabel, Split::kUnassigned, {}});
  return manifest;
}

std::string message_of(const std::vector<std::string>& classes, const std::string& encoding) {
  try {
    Manifest manifest = made_of(classes);
    decode_classes(manifest, encoding, "set");
  } catch (const Error& error) {
    return error.what();
  }
  return "decoded";
}

TEST(ClassNames, OtherEncodingsAreDecodedAndSortedAnew) {
  Manifest manifest = made_of({"dog", "\xe9lan", "f\xeate"});
  decode_classes(manifest, "latin1", "set");
  EXPECT_THAT(manifest.classes, ElementsAre("dog", "fête", "élan"));
  EXPECT_EQ(manifest.samples[1].label, 2);
  EXPECT_EQ(manifest.samples[2].label, 1);
  EXPECT_EQ(manifest.samples[3].label, kNoLabel);
}

TEST(ClassNames, Utf8StaysInItsOrder) {
  Manifest manifest = made_of({"2", "10", "café"});
  decode_classes(manifest, "latin1", "set");
  EXPECT_THAT(manifest.classes, ElementsAre("2", "10", "café"));
}

TEST(ClassNames, OneNameThatIsNotUtf8DecidesForAll) {
  // The bytes of the first are an "e" with a grave accent in UTF-8.
  Manifest manifest = made_of({"\xc3\xa8", "\xb9\xb7", "a~b\\"});
  decode_classes(manifest, "gbk", "set");
  EXPECT_THAT(manifest.classes, ElementsAre("a~b\\", "狗", "猫"));
  manifest = made_of({"\xd0\xba\xd0\xbe", "\xea\xee\xf2", "~"});
  decode_classes(manifest, "windows-1251", "set");
  EXPECT_THAT(manifest.classes, ElementsAre("~", "РєРѕ", "кот"));
  manifest = made_of({"\x94\x4c", "\xc2\xa2", "a~b\\"});
  decode_classes(manifest, "shift-jis", "set");
  EXPECT_THAT(manifest.classes, ElementsAre("a~b\\", "猫", "ﾂ｢"));
  manifest = made_of({"\x1b$BG-\x1b(B", "dog"});
  decode_classes(manifest, "iso-2022-jp", "set");
  EXPECT_THAT(manifest.classes, ElementsAre("dog", "猫"));
}

TEST(ClassNames, APathThatIsNotUtf8DecidesAndAMarkedNameStays) {
  Manifest manifest = made_of({"\xc3\xa8", "dog", "café"});
  decode_classes(manifest, "gbk", "set");
  EXPECT_THAT(manifest.classes, ElementsAre("\xc3\xa8", "dog", "café"));
  manifest.has_other_names = true;
  manifest.utf8_classes = {"café"};
  decode_classes(manifest, "gbk", "set");
  EXPECT_THAT(manifest.classes, ElementsAre("café", "dog", "猫"));
}

TEST(ClassNames, WhatIsNotUtf8IsNamedWithWhatItLooksLike) {
  EXPECT_EQ(
      message_of({"caf\xe9", "dog"}, ""),
      "the class name 'caf\\xe9' is not UTF-8: set: it looks like latin1 (café): pass --encoding latin1, "
      "or rename it");
  EXPECT_THAT(message_of({"\xc3\xa8\xb9\xb7"}, ""), HasSubstr("it looks like gbk (猫狗)"));
  EXPECT_THAT(message_of({"caf\xe9"}, "shift-jis"), HasSubstr("neither UTF-8 nor shift-jis"));
  EXPECT_THAT(message_of({"\xb0\xed", "고"}, "euc-kr"), HasSubstr("two classes are called '고'"));
}

TEST(ClassNames, ThoseThatAPersonTakesForOneAreDoubted) {
  EXPECT_THAT(doubts_about_classes({"cat", "dog", "café"}), IsEmpty());
  EXPECT_THAT(doubts_about_classes({"Cat", "cat", "dog"}), ElementsAre(HasSubstr("'Cat' and 'cat' differ")));
  EXPECT_THAT(doubts_about_classes({" cat", "cat", "cat\t"}),
              ElementsAre(HasSubstr("' cat' and 'cat'"), HasSubstr("' cat' and 'cat\\x09'")));
  EXPECT_THAT(doubts_about_classes({"Éclair", "éclair"}), ElementsAre(HasSubstr("'Éclair' and 'éclair'")));
  EXPECT_THAT(doubts_about_classes({"cafe\xcc\x81", "café"}), ElementsAre(HasSubstr("are they one?")));
  EXPECT_THAT(doubts_about_classes({"cat\xc2\xa0", "cat"}),
              ElementsAre(HasSubstr("differ by case, blanks or composition alone")));
}

TEST(ClassNames, ThoseThatLookLikeSeveralLabelsAreDoubted) {
  EXPECT_THAT(doubts_about_classes({"cat", "cat dog", "dog"}),
              ElementsAre(HasSubstr("'cat dog' look like several")));
  EXPECT_THAT(doubts_about_classes({"clear", "clear primary", "haze primary", "haze"}),
              ElementsAre(HasSubstr("several labels")));
  EXPECT_THAT(doubts_about_classes({"golden retriever", "labrador retriever", "poodle"}), IsEmpty());
}

}  // namespace
}  // namespace headstart::test

// tests/data/dataset/folds_test.cpp: draw_folds() of data/dataset/split.hpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "data/dataset/split.hpp"
#include "data/error.hpp"

namespace headstart {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

/// A data set whose images are numbers: equal numbers are byte-identical images.
struct Set {
  Manifest manifest;
  std::vector<std::optional<Sha256>> content;
  std::vector<std::size_t> rows;

  void add(Label label, int image, const std::string& group = "") {
    const std::string name = "image " + std::to_string(rows.size());
    rows.push_back(manifest.samples.size());
    manifest.samples.push_back({name, {name}, label, Split::kUnassigned, group});
    content.emplace_back(sha256(std::to_string(image)));
  }
  [[nodiscard]] std::vector<int> draw(int folds, std::uint64_t seed = 1) const {
    return draw_folds(manifest, rows, content, folds, seed);
  }
  /// Rows of `label` in each fold.
  [[nodiscard]] std::vector<int> sizes(const std::vector<int>& fold_of, int folds, Label label) const {
    std::vector<int> result(static_cast<std::size_t>(folds), 0);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (manifest.samples[rows[i]].label == label) ++result[static_cast<std::size_t>(fold_of[i])];
    }
    return result;
  }
};

int spread(const std::vector<int>& sizes) {
  const auto [low, high] = std::minmax_element(sizes.begin(), sizes.end());
  return *high - *low;
}

TEST(FoldsTest, EachClassIsSharedOutEvenlyAndSoAreTheRemainders) {
  Set set;
  for (int i = 0; i < 33; ++i) set.add(i % 3, i);  // three classes of eleven
  const std::vector<int> fold_of = set.draw(3);
  std::vector<int> totals(3, 0);
  for (const int fold : fold_of) ++totals[static_cast<std::size_t>(fold)];
  for (Label label = 0; label < 3; ++label) {
    EXPECT_THAT(set.sizes(fold_of, 3, label), UnorderedElementsAre(3, 4, 4));
  }
  EXPECT_LE(spread(totals), 1) << "not one fold that has three of every class";
}

TEST(FoldsTest, TwoFoldsOfTwoImages) {
  Set set;
  set.add(0, 1);
  set.add(0, 2);
  EXPECT_THAT(set.draw(2), UnorderedElementsAre(0, 1));
}

TEST(FoldsTest, GroupsAreExchangedUntilFoldsAreEqual) {
  // Groups of 3, 3, 2, 2, 2: the largest first to the smallest fold gives 7 and 5; 6 and 6 exists.
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Set set;
    for (int i = 0; i < 12; ++i) {
      set.add(0, i, i < 3 ? "a" : i < 6 ? "b" : i < 8 ? "c" : i < 10 ? "d" : "e");
    }
    EXPECT_EQ(spread(set.sizes(set.draw(2, seed), 2, 0)), 0);
  }
}

TEST(FoldsTest, AGiantGroupIsAFoldOfItsOwn) {
  Set set;
  for (int i = 0; i < 50; ++i) set.add(0, i, "giant");
  for (int i = 50; i < 54; ++i) set.add(0, i);
  EXPECT_THAT(set.sizes(set.draw(3), 3, 0), UnorderedElementsAre(50, 2, 2));
}

TEST(FoldsTest, ClassesOfOneImageFillFoldsBeforeTheyShareThem) {
  Set set;
  for (int i = 0; i < 5; ++i) set.add(i, i);
  EXPECT_THAT(set.draw(5), UnorderedElementsAre(0, 1, 2, 3, 4));
}

TEST(FoldsTest, FewerComponentsThanFoldsAreAnError) {
  Set set;
  for (int i = 0; i < 20; ++i) set.add(i % 2, i % 4, i % 4 == 3 ? "g" : "");
  EXPECT_NO_THROW((void)set.draw(4));
  try {
    (void)set.draw(5);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::kData);
    EXPECT_THAT(error.what(), HasSubstr("5 folds, 4 independent images"));
  }
  Set giant;
  for (int i = 0; i < 20; ++i) giant.add(0, i, "one");
  EXPECT_THROW((void)giant.draw(2), Error);
  EXPECT_THROW((void)Set().draw(2), Error);
}

TEST(FoldsTest, OneFoldIsWrongUsage) {
  Set set;
  for (int i = 0; i < 4; ++i) set.add(0, i);
  for (const int folds : {1, 0, -1}) {
    try {
      (void)set.draw(folds);
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Error::Kind::kUsage);
    }
  }
}

TEST(FoldsTest, OnlyTheGivenRowsAreSharedOut) {
  Set set;
  for (int i = 0; i < 10; ++i) set.add(0, i);
  set.content[4] = std::nullopt;
  set.rows.erase(set.rows.begin() + 4);
  EXPECT_THAT(set.sizes(set.draw(3), 3, 0), UnorderedElementsAre(3, 3, 3));
}

TEST(FoldsTest, AnotherSeedDrawsOthers) {
  Set set;
  for (int i = 0; i < 100; ++i) set.add(0, i);
  EXPECT_NE(set.draw(5, 1), set.draw(5, 2));
  EXPECT_EQ(set.draw(5, 1), set.draw(5, 1));
}

/// Copies and groups, each within a class, and how many independent images there are.
struct AnySet {
  Set set;
  std::size_t components = 0;
  std::map<Label, int> largest;  ///< rows of the largest component of each class
};

AnySet any_set() {
  AnySet any;
  std::map<std::pair<Label, std::string>, int> sizes;
  const auto size = *rc::gen::inRange(2, 80);
  for (int i = 0; i < size; ++i) {
    const Label label = *rc::gen::inRange(0, 3);
    const int group = *rc::gen::inRange(-6, 4);  // below 0: none
    const int image = *rc::gen::inRange(0, 40);
    const std::string name = std::to_string(label) + (group < 0 ? "" : "g" + std::to_string(group));
    // An image of a group is in no other: a component is a group, or the copies of one image.
    any.set.add(label, (label * 10 + group + 6) * 100 + image, group < 0 ? "" : name);
    const std::string component =
        group < 0 ? std::to_string(group) + " " + std::to_string(image) : "group " + std::to_string(group);
    any.largest[label] = std::max(any.largest[label], ++sizes[{label, component}]);
  }
  any.components = sizes.size();
  return any;
}

RC_GTEST_PROP(FoldsProperty, NoFoldIsEmptyNothingStraddlesAndClassesAreEven, ()) {
  const AnySet any = any_set();
  RC_PRE(any.components >= 2);
  const int folds = *rc::gen::inRange(2, std::min(static_cast<int>(any.components), 8) + 1);
  const std::vector<int> fold_of = any.set.draw(folds, *rc::gen::arbitrary<std::uint64_t>());
  RC_ASSERT(fold_of.size() == any.set.rows.size());

  const std::set<int> seen(fold_of.begin(), fold_of.end());
  RC_ASSERT(static_cast<int>(seen.size()) == folds && *seen.begin() == 0 && *seen.rbegin() == folds - 1);
  std::map<std::string, std::set<int>> homes;
  for (std::size_t i = 0; i < fold_of.size(); ++i) {
    const std::string& group = any.set.manifest.samples[i].group;
    homes["content " + any.set.content[i]->hex()].insert(fold_of[i]);
    if (!group.empty()) homes["group " + group].insert(fold_of[i]);
  }
  for (const auto& [name, home] : homes) RC_ASSERT(home.size() == 1U);
  for (const auto& [label, largest] : any.largest) {
    RC_ASSERT(spread(any.set.sizes(fold_of, folds, label)) <= largest);
  }
}

RC_GTEST_PROP(FoldsProperty, RenamesAndAnotherOrderChangeNothing, ()) {
  const AnySet any = any_set();
  RC_PRE(any.components >= 3);
  std::vector<std::size_t> order(any.set.rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[*rc::gen::inRange<std::size_t>(0, i)]);
  }
  Set other;
  for (const std::size_t row : order) {
    const Sample& sample = any.set.manifest.samples[row];
    other.add(sample.label, 0, sample.group);
    other.manifest.samples.back().path = "renamed " + sample.path;
    other.content.back() = any.set.content[row];
  }
  const std::vector<int> first = any.set.draw(3, 7);
  const std::vector<int> second = other.draw(3, 7);
  for (std::size_t i = 0; i < order.size(); ++i) RC_ASSERT(second[i] == first[order[i]]);
}

/// Copies under several labels: a component counts as its majority's, and nothing else changes.
RC_GTEST_PROP(FoldsProperty, ContradictingLabelsStayTogether, ()) {
  Set set;
  const auto size = *rc::gen::inRange(6, 60);
  for (int i = 0; i < size; ++i) set.add(*rc::gen::inRange(0, 3), *rc::gen::inRange(0, 30));
  const std::set<Sha256> distinct = [&] {
    std::set<Sha256> contents;
    for (const auto& content : set.content) contents.insert(*content);
    return contents;
  }();
  RC_PRE(distinct.size() >= 2U);
  const int folds = *rc::gen::inRange(2, static_cast<int>(distinct.size()) + 1);
  const std::vector<int> fold_of = set.draw(folds);
  std::map<Sha256, std::set<int>> homes;
  for (std::size_t i = 0; i < fold_of.size(); ++i) homes[*set.content[i]].insert(fold_of[i]);
  for (const auto& [content, home] : homes) RC_ASSERT(home.size() == 1U);
  RC_ASSERT(static_cast<int>(std::set<int>(fold_of.begin(), fold_of.end()).size()) == folds);
}

}  // namespace
}  // namespace headstart

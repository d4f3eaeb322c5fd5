// tests/data/dataset/split_test.cpp
#include "data/dataset/split.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <numeric>
#include <set>

namespace headstart {
namespace {

using ::testing::ElementsAre;

/// A data set whose images are numbers: equal numbers are byte-identical images.
struct Set {
  Manifest manifest;
  std::vector<std::optional<Sha256>> content;
  std::vector<std::size_t> rows;

  void add(Label label, int image, const std::string& group = "", Split split = Split::kUnassigned) {
    const std::string name = "image " + std::to_string(rows.size());
    rows.push_back(manifest.samples.size());
    manifest.samples.push_back({name, {name}, label, split, group});
    content.emplace_back(sha256(std::to_string(image)));
  }
  void draw(double fraction, std::uint64_t seed = 1) {
    draw_validation_split(manifest, rows, content, fraction, seed);
  }
  [[nodiscard]] std::size_t count(Label label, Split split) const {
    return static_cast<std::size_t>(
        std::count_if(manifest.samples.begin(), manifest.samples.end(),
                      [&](const Sample& sample) { return sample.label == label && sample.split == split; }));
  }
  [[nodiscard]] std::vector<Split> splits() const {
    std::vector<Split> result;
    for (const Sample& sample : manifest.samples) result.push_back(sample.split);
    return result;
  }
};

TEST(SplitTest, EachClassGivesItsShare) {
  Set set;
  for (int i = 0; i < 100; ++i) set.add(0, i);
  for (int i = 100; i < 110; ++i) set.add(1, i);
  set.draw(0.2);
  EXPECT_EQ(set.count(0, Split::kValidation), 20U);
  EXPECT_EQ(set.count(0, Split::kTrain), 80U);
  EXPECT_EQ(set.count(1, Split::kValidation), 2U);
}

TEST(SplitTest, ASmallClassHasAnImageOnEachSide) {
  Set set;
  set.add(0, 1);
  set.add(0, 2);
  set.add(1, 3);
  set.draw(0.01);
  EXPECT_EQ(set.count(0, Split::kValidation), 1U);
  EXPECT_EQ(set.count(0, Split::kTrain), 1U);
  EXPECT_EQ(set.count(1, Split::kTrain), 1U) << "a class of one image trains";
}

TEST(SplitTest, WholeGroupsComeAsNearToTheShareAsTheyCan) {
  // Groups of 5, 3 and 3: six of eleven is reached by the two threes only, whatever the order of the draw.
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Set set;
    for (int i = 0; i < 11; ++i) set.add(0, i, i < 5 ? "a" : i < 8 ? "b" : "c");
    set.draw(6.0 / 11.0, seed);
    EXPECT_EQ(set.count(0, Split::kValidation), 6U);
  }
}

TEST(SplitTest, AnotherSeedDrawsAnother) {
  Set set;
  for (int i = 0; i < 100; ++i) set.add(0, i);
  set.draw(0.5, 1);
  const std::vector<Split> first = set.splits();
  set.draw(0.5, 2);
  EXPECT_NE(set.splits(), first);
  set.draw(0.5, 1);
  EXPECT_EQ(set.splits(), first);
}

TEST(SplitTest, RowsThatAreNotGivenKeepTheirSplit) {
  Set set;
  for (int i = 0; i < 10; ++i) set.add(0, i);
  set.content[3] = std::nullopt;
  set.rows.erase(set.rows.begin() + 3);
  set.draw(0.5);
  EXPECT_EQ(set.manifest.samples[3].split, Split::kUnassigned);
}

TEST(DuplicatesTest, FindsEqualImagesAndWhatIsWrongWithThem) {
  Set set;
  set.add(0, 1, "", Split::kTrain);
  set.add(0, 2, "", Split::kTrain);
  set.add(1, 1, "", Split::kTrain);
  set.add(0, 2, "", Split::kValidation);
  set.add(0, 3, "", Split::kTrain);
  set.add(0, 3, "", Split::kTrain);
  set.content.emplace_back(std::nullopt);
  set.content.emplace_back(std::nullopt);
  set.manifest.samples.resize(8);
  const std::vector<DuplicateSet> duplicates = find_duplicates(set.manifest, set.content);
  ASSERT_EQ(duplicates.size(), 3U);
  EXPECT_THAT(duplicates[0].rows, ElementsAre(0U, 2U));
  EXPECT_TRUE(duplicates[0].labels_differ);
  EXPECT_FALSE(duplicates[0].splits_differ);
  EXPECT_THAT(duplicates[1].rows, ElementsAre(1U, 3U));
  EXPECT_FALSE(duplicates[1].labels_differ);
  EXPECT_TRUE(duplicates[1].splits_differ);
  EXPECT_THAT(duplicates[2].rows, ElementsAre(4U, 5U));
  EXPECT_FALSE(duplicates[2].labels_differ || duplicates[2].splits_differ);
}

TEST(GroupsTest, ThoseThatStraddleTheGivenSplitsAreSaidOnce) {
  Set set;
  set.add(0, 1, "a", Split::kTrain);
  set.add(0, 2, "b", Split::kTrain);
  set.add(0, 3, "", Split::kTrain);
  set.add(1, 4, "", Split::kValidation);
  set.add(1, 5, "a", Split::kTrain);
  EXPECT_EQ(doubt_about_groups(set.manifest), std::nullopt);
  set.add(1, 6, "b", Split::kTest);
  set.add(1, 7, "b", Split::kValidation);
  EXPECT_EQ(doubt_about_groups(set.manifest),
            "1 group has images in several splits: 'b': image 1 (train) and image 5 (test)");
  set.add(1, 8, "a", Split::kValidation);
  EXPECT_EQ(doubt_about_groups(set.manifest),
            "2 groups have images in several splits, such as 'b': image 1 (train) and image 5 (test)");
}

Set any_set() {
  Set set;
  const auto size = *rc::gen::inRange(1, 60);
  for (int i = 0; i < size; ++i) {
    const auto group = *rc::gen::weightedElement<std::string>({{8, ""}, {1, "g"}, {1, "h"}});
    set.add(*rc::gen::inRange(0, 3), *rc::gen::inRange(0, 50), group);
  }
  return set;
}

RC_GTEST_PROP(SplitProperty, EverySampleIsAssignedAndNothingStraddles, ()) {
  Set set = any_set();
  set.draw(*rc::gen::inRange(1, 99) / 100.0, *rc::gen::arbitrary<std::uint64_t>());
  std::map<std::string, std::set<Split>> sides;
  for (const std::size_t row : set.rows) {
    const Sample& sample = set.manifest.samples[row];
    RC_ASSERT(sample.split == Split::kTrain || sample.split == Split::kValidation);
    sides["content " + set.content[row]->hex()].insert(sample.split);
    if (!sample.group.empty()) sides["group " + sample.group].insert(sample.split);
  }
  for (const auto& [name, splits] : sides) RC_ASSERT(splits.size() == 1U);
}

RC_GTEST_PROP(SplitProperty, SingleImagesGiveTheNearestShare, ()) {
  Set set;
  const auto size = *rc::gen::inRange(2, 80);
  for (int i = 0; i < size; ++i) set.add(0, i);
  const double fraction = *rc::gen::inRange(1, 99) / 100.0;
  set.draw(fraction, *rc::gen::arbitrary<std::uint64_t>());
  const double wanted = std::clamp(fraction * size, 1.0, size - 1.0);
  RC_ASSERT(std::abs(static_cast<double>(set.count(0, Split::kValidation)) - wanted) <= 0.5);
}

RC_GTEST_PROP(SplitProperty, RenamesAndAnotherOrderChangeNothing, ()) {
  Set set = any_set();
  std::vector<std::size_t> order(set.rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[*rc::gen::inRange<std::size_t>(0, i)]);
  Set other;
  for (const std::size_t row : order) {
    const Sample& sample = set.manifest.samples[row];
    other.add(sample.label, 0, sample.group);
    other.manifest.samples.back().path = "renamed " + sample.path;
    other.content.back() = set.content[row];
  }
  set.draw(0.3, 7);
  other.draw(0.3, 7);
  for (std::size_t i = 0; i < order.size(); ++i) {
    RC_ASSERT(other.manifest.samples[i].split == set.manifest.samples[order[i]].split);
  }
}

/// Groups of 1, 2, ... 700 images: a table of every sum for every size would take 1.4 GB.
TEST(SplitTest, ManySizesOfGroupsTakeLittleMemory) {
  EXPECT_EXIT(
      {
        Set set;
        for (int size = 1; size <= 700; ++size) {
          for (int i = 0; i < size; ++i) set.add(0, size, std::to_string(size));
        }
        const auto peak = [] {
          rusage usage = {};
          getrusage(RUSAGE_SELF, &usage);
          return usage.ru_maxrss;  // KiB
        };
        const auto before = peak();
        set.draw(0.2);
        const bool is_right = set.count(0, Split::kValidation) == 49'070;  // a fifth of 245,350
        std::fprintf(stderr, "%ld MiB more, %s\n", (peak() - before) / 1024, is_right ? "right" : "wrong");
        std::exit(is_right && peak() - before < 400 * 1024 ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "right");
}

}  // namespace
}  // namespace headstart

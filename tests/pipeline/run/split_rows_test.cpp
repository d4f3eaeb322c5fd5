// tests/pipeline/run/split_rows_test.cpp: what is said about classes of unequal size before a training.
#include "pipeline/run/split_rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "data/error.hpp"

namespace headstart {
namespace {

using ::testing::HasSubstr;

/// What check_trainable() says about classes 'a', 'b', ... with so many training images.
std::string said_of_classes(const std::vector<int>& counts, ClassWeight weight = ClassWeight::kNone) {
  ExtractedDataset dataset;
  SplitRows rows;
  for (std::size_t label = 0; label < counts.size(); ++label) {
    dataset.manifest.classes.emplace_back(1, static_cast<char>('a' + label));
    for (int i = 0; i < counts[label]; ++i) {
      rows.training.push_back(static_cast<RowIndex>(rows.labels.size()));
      rows.labels.push_back(static_cast<std::int32_t>(label));
    }
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), std::fclose);
  Console console(Verbosity::kNormal, false, file.get());
  check_trainable(dataset, rows, weight, "images", console);
  std::rewind(file.get());
  std::string text(1000, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  return text;
}

TEST(Imbalance, IsSaidAboveTwentyToOneWithTheWeightsThatWouldBalance) {
  // compute_class_weight('balanced') of scikit-learn 1.7.2 gives 0.3968254, 8.33333333 and 2.77777778.
  const std::string note = said_of_classes({420, 20, 60});
  EXPECT_THAT(note, HasSubstr("'a' has 420 training images and 'b' has 20, 21 : 1"));
  EXPECT_THAT(note, HasSubstr("--class-weight balanced"));
  EXPECT_THAT(note, HasSubstr("each image of 'a' 0.397 times, each of 'b' 8.33 times"));
  EXPECT_EQ(std::count(note.begin(), note.end(), '\n'), 1);
  EXPECT_EQ(said_of_classes({400, 20, 60}), "");
}

TEST(Imbalance, IsNotSaidWhereClassesAreBalanced) {
  EXPECT_EQ(said_of_classes({420, 20}, ClassWeight::kBalanced), "");
}

TEST(Imbalance, OfClassesWithImagesIsSaidBesideOneWithout) {
  const std::string notes = said_of_classes({0, 63, 3});
  EXPECT_THAT(notes, HasSubstr("'b' has 63 training images and 'c' has 3, 21 : 1"));
  EXPECT_THAT(notes, HasSubstr("once every class has images"));
  EXPECT_THROW(static_cast<void>(said_of_classes({0, 63, 3}, ClassWeight::kBalanced)), Error);
}

}  // namespace
}  // namespace headstart

// tests/features/extraction/extractor_storage_test.cpp: rows that are stored as float16: rounded once, when
// they are made.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "data/image/view.hpp"
#include "features/float16.hpp"
#include "tests/features/extraction/extractor_fixture.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ExtractorStorageTest : public ExtractorTest {
 protected:
  FeatureCache halves(const Tap& tap = Tap{"block5_pool"}) { return cache(tap, FeatureType::kFloat16); }

  static std::vector<float> rounded(std::vector<float> row) {
    std::transform(row.begin(), row.end(), row.begin(), rounded_to_float16);
    return row;
  }
  static std::vector<float> rounded_row(std::size_t colour, Tap tap = Tap{"block5_pool"}) {
    return rounded(fake_activations(row_of(static_cast<int>(colour)), tap));
  }
};

TEST_F(ExtractorStorageTest, RowsAreTheSameToTheBitWhetherJustMadeOrReadFromDisk) {
  const auto files = images(10);
  FeatureCache fresh = halves();
  const Extraction extraction = run(files, options(), {&fresh});
  EXPECT_THAT(statuses(extraction), Each(kExtracted));
  FeatureCache warm = halves();
  EXPECT_THAT(statuses(run(files, options(), {&warm})), Each(kCached));
  for (std::size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ(cached_row(fresh, extraction.images[i]), rounded_row(i));
    EXPECT_EQ(cached_row(warm, extraction.images[i]), rounded_row(i));
    EXPECT_NE(rounded_row(i), fake_activations(row_of(static_cast<int>(i)), Tap{"block5_pool"}));
  }
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(ExtractorStorageTest, RowsThatCannotBeWrittenAreRoundedAllTheSame) {
  const auto files = images(3);
  std::ofstream(folder_ / "cache") << "in the way";
  FeatureCache features = halves();
  const Extraction extraction = run(files, options(), {&features});
  ASSERT_THAT(warnings_, testing::Contains(HasSubstr("features are not cached")));
  for (std::size_t i = 0; i < files.size(); ++i)
    EXPECT_EQ(cached_row(features, extraction.images[i]), rounded_row(i));
}

TEST_F(ExtractorStorageTest, EachStorageHasRowsOfItsOwn) {
  const auto files = images(3);
  FeatureCache floats = cache();
  FeatureCache features = halves();
  EXPECT_THAT(statuses(run(files, options(), {&floats})), Each(kExtracted));
  EXPECT_THAT(statuses(run(files, options(), {&features})), Each(kExtracted));
  EXPECT_NE(floats.folder(), features.folder());
}

// What would be computed from a rounded row is not what is computed from the image.
TEST_F(ExtractorStorageTest, NoRowIsComputedFromARoundedOne) {
  const auto files = images(3);
  FeatureCache below = halves(Tap{"block4_pool"});
  (void)run(files, options(), {&below});
  FeatureCache features = halves();
  ExtractionOptions with_lower = options();
  with_lower.lower = [&](const Tap& tap) { return tap == Tap{"block4_pool"} ? &below : nullptr; };
  const Extraction extraction = run(files, with_lower, {&features, &below});
  EXPECT_EQ(extraction.decoded, 3U);
  EXPECT_EQ(extraction.from_taps, RowsOfTaps{});
  for (std::size_t i = 0; i < files.size(); ++i)
    EXPECT_EQ(cached_row(features, extraction.images[i]), rounded_row(i));
}

TEST_F(ExtractorStorageTest, AnActivationThatFloat16HasNotIsARejectAndIsNeverCached) {
  std::vector<fs::path> files = images(4);
  files.push_back(image("again.ppm", 2));
  script_.poison = row_of(2)[0];
  script_.overflow = kLargestFloat16;
  FeatureCache deep = halves();
  FeatureCache shallow = halves(Tap{"block4_pool"});
  EXPECT_THAT(statuses(run(files, options(), {&deep, &shallow})),
              ElementsAre(kExtracted, kExtracted, kExtracted, kExtracted, kCopy));
  script_.poison = row_of(9)[0];
  script_.overflow = std::nextafter(kLargestFloat16, 1e9F);
  const std::vector<fs::path> more{image("more.ppm", 9), image("more again.ppm", 9)};
  const Extraction extraction = run(more, options(), {&deep, &shallow});
  EXPECT_THAT(statuses(extraction), Each(kRejected));
  EXPECT_THAT(extraction.images[0].reason, HasSubstr("at block5_pool is too large to be stored as float16"));
  EXPECT_EQ(extraction.images[0], extraction.images[1]);
  EXPECT_EQ(deep.rows(), 4U);
  EXPECT_EQ(shallow.rows(), 4U);
  script_.overflow = std::numeric_limits<float>::infinity();
  EXPECT_THAT(run(more, options(), {&deep}).images[0].reason, HasSubstr("overflows at block5_pool (fp32)"));
}

TEST_F(ExtractorStorageTest, WhatRoundsToZeroIsNotStored) {
  script_.poison = row_of(0)[0];
  script_.overflow = std::ldexp(1.0F, -25);  // half of the smallest: the even neighbour is zero
  FeatureCache features = halves();
  const Extraction extraction = run(images(1), options(), {&features});
  const SparseRows rows = features.read(std::vector{extraction.images[0].content.value()});
  EXPECT_THAT(rows.values, Each(testing::Ne(0.0F)));
  EXPECT_LT(rows.indices.back(), 511);
}

TEST_F(ExtractorStorageTest, ViewsAreRoundedToo) {
  ExtractionOptions with_view = options();
  with_view.views = 1;
  FeatureCache features = halves();
  const Extraction extraction = run(images(2), with_view, {&features});
  for (std::size_t i = 0; i < 2; ++i) {
    ImageResult view;
    view.content = view_key(*extraction.images[i].content, 1);
    EXPECT_EQ(cached_row(features, view), rounded_row(i));  // all crops of one colour are alike
  }
}

TEST_F(ExtractorStorageTest, CachesOfTwoStoragesAreNotFilledTogether) {
  FeatureCache deep = halves();
  FeatureCache shallow = cache(Tap{"block4_pool"});
  EXPECT_THROW((void)run(images(1), options(), {&deep, &shallow}), std::logic_error);
}

}  // namespace
}  // namespace headstart

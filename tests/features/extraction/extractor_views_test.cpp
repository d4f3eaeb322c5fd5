// tests/features/extraction/extractor_views_test.cpp: views in the pipeline around a fake engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "data/image/view.hpp"
#include "tests/features/extraction/extractor_fixture.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

/// Images without two equal crops, different for numbers up to 150, and what the network must get for a view
/// of it.
class ExtractorViewsTest : public ExtractorTest {
 protected:
  static constexpr int kWidth = 60;
  static constexpr int kHeight = 50;

  static RgbImage gradient(int number) {
    RgbImage image{kHeight, kWidth, {}};
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        for (const int value : {4 * x + number % 16, 5 * y + number / 16, 3 * x + y + 7 * number % 20})
          image.pixels.push_back(static_cast<std::uint8_t>(value));
      }
    }
    return image;
  }
  static std::string ppm_of(const RgbImage& image) {
    std::string bytes = "P6 " + std::to_string(image.width) + " " + std::to_string(image.height) + " 255\n";
    for (const std::uint8_t value : image.pixels) bytes += static_cast<char>(value);
    return bytes;
  }
  fs::path gradient_file(int number) {
    return file("gradient" + std::to_string(1000 + number) + ".ppm", ppm_of(gradient(number)));
  }
  std::vector<fs::path> gradients(int count) {
    std::vector<fs::path> files;
    files.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) files.push_back(gradient_file(i));
    return files;
  }
  static ExtractionOptions with_views(int views, int threads = 2) {
    ExtractionOptions result = options(threads);
    result.views = views;
    return result;
  }
  /// Resized, preprocessed view `view` of gradient(number), whose file has digest `content`.
  static std::vector<float> row_of_view(int number, const Sha256& content, int view) {
    RgbImage image = gradient(number);
    if (view > 0) {
      const Sha256 key = view_key(content, static_cast<std::uint64_t>(view));
      image = cut(image, draw_view(key, kWidth, kHeight));
    }
    std::vector<float> row(kRowSize);
    resize(image, options().resize, row);
    preprocess(kCaffePreprocessing, row);
    return row;
  }
  static std::vector<float> cached_view(FeatureCache& cache, const ImageResult& image, int view) {
    ImageResult row;
    row.content = view_key(image.content.value(), static_cast<std::uint64_t>(view));
    return cached_row(cache, row);
  }
  static void expect_rows(FeatureCache& cache, const Extraction& extraction, int views) {
    for (std::size_t i = 0; i < extraction.images.size(); ++i) {
      for (int view = 0; view <= views; ++view) {
        const auto row = row_of_view(static_cast<int>(i), *extraction.images[i].content, view);
        EXPECT_EQ(cached_view(cache, extraction.images[i], view), fake_activations(row, cache.tap()))
            << "view " << view << " of image " << i;
      }
    }
  }
};

TEST_F(ExtractorViewsTest, EveryViewGoesThroughTheNetworkBehindItsImage) {
  const auto files = gradients(7);
  FeatureCache features = cache();
  const Extraction extraction = run(files, with_views(2, 4), {&features});
  EXPECT_THAT(statuses(extraction), Each(kExtracted));
  EXPECT_EQ(extraction.decoded, 7U);
  EXPECT_EQ(features.rows(), 21U);
  ASSERT_EQ(script_.rows.size(), 24U);
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_THAT(extraction.images[i].views, ElementsAre(kExtracted, kExtracted));
    for (std::size_t view = 0; view < 3; ++view) {
      EXPECT_EQ(script_.rows[3 * i + view],
                row_of_view(static_cast<int>(i), *extraction.images[i].content, static_cast<int>(view)));
    }
  }
  expect_rows(features, extraction, 2);
}

TEST_F(ExtractorViewsTest, ASecondRunHitsThemAllAndDecodesNothing) {
  const auto files = gradients(5);
  {
    FeatureCache features = cache();
    (void)run(files, with_views(3), {&features});
  }
  FeatureCache features = cache();
  const Extraction again = run(files, with_views(3), {&features});
  EXPECT_THAT(statuses(again), Each(kCached));
  for (const ImageResult& image : again.images)
    EXPECT_THAT(image.views, ElementsAre(kCached, kCached, kCached));
  EXPECT_EQ(again.decoded, 0U);
  EXPECT_EQ(script_.opened, 1);
}

TEST_F(ExtractorViewsTest, MoreViewsComputeOnlyWhatIsNew) {
  const auto files = gradients(4);
  FeatureCache features = cache();
  (void)run(files, options(), {&features});
  (void)run(files, with_views(1), {&features});
  script_.rows.clear();
  const Extraction more = run(files, with_views(3), {&features});
  EXPECT_THAT(statuses(more), Each(kCached));
  for (const ImageResult& image : more.images) {
    EXPECT_THAT(image.views, ElementsAre(kCached, kExtracted, kExtracted));
  }
  EXPECT_EQ(script_.rows.size(), 8U);
  EXPECT_EQ(more.decoded, 4U);
  expect_rows(features, more, 3);

  const Extraction fewer = run(files, with_views(2), {&features});
  EXPECT_EQ(fewer.decoded, 0U);
  EXPECT_THAT(fewer.images[0].views, ElementsAre(kCached, kCached));
}

TEST_F(ExtractorViewsTest, ABrokenFileIsDecodedOnceAndHasNoViews) {
  const std::vector<fs::path> files{gradient_file(0), file("broken.png", "broken"), folder_ / "missing.png",
                                    file("again.png", "broken"), gradient_file(1)};
  FeatureCache features = cache();
  const Extraction extraction = run(files, with_views(2), {&features});
  EXPECT_THAT(statuses(extraction), ElementsAre(kExtracted, kRejected, kRejected, kRejected, kExtracted));
  for (const std::size_t i : {1U, 2U, 3U}) {
    EXPECT_THAT(extraction.images[i].views, ElementsAre(kRejected, kRejected));
    EXPECT_NE(extraction.images[i].reason, "");
  }
  EXPECT_EQ(extraction.images[1], extraction.images[3]);
  EXPECT_EQ(extraction.decoded, 3U);
  EXPECT_EQ(features.rows(), 6U);
}

TEST_F(ExtractorViewsTest, EqualFilesShareTheirViews) {
  std::vector<fs::path> files = gradients(2);
  files.push_back(folder_ / "copy.ppm");
  fs::copy_file(files[0], files[2]);
  FeatureCache features = cache();
  const Extraction extraction = run(files, with_views(2, 4), {&features});
  EXPECT_THAT(statuses(extraction), ElementsAre(kExtracted, kExtracted, kCopy));
  EXPECT_THAT(extraction.images[2].views, ElementsAre(kCopy, kCopy));
  EXPECT_EQ(features.rows(), 6U);
  EXPECT_EQ(extraction.decoded, 2U);
}

TEST_F(ExtractorViewsTest, AnOverflowOfOneViewLeavesTheOthers) {
  auto files = gradients(3);
  files.push_back(folder_ / "copy.ppm");
  fs::copy_file(files[1], files[3]);
  FeatureCache features = cache();
  const Sha256 content = sha256(ppm_of(gradient(1)));
  script_.poison = row_of_view(1, content, 2)[0];
  const Extraction extraction = run(files, with_views(3), {&features});
  EXPECT_THAT(statuses(extraction), ElementsAre(kExtracted, kExtracted, kExtracted, kCopy));
  EXPECT_THAT(extraction.images[1].views, ElementsAre(kExtracted, kRejected, kExtracted));
  EXPECT_THAT(extraction.images[3].views, ElementsAre(kCopy, kRejected, kCopy));
  for (const std::size_t i : {1U, 3U}) {
    EXPECT_EQ(extraction.images[i].note, "view 2: the network overflows at block5_pool (fp32)");
  }
  EXPECT_THAT(extraction.images[0].views, Each(kExtracted));
  EXPECT_EQ(features.rows(), 11U);
  EXPECT_FALSE(features.contains(view_key(content, 2)));
}

TEST_F(ExtractorViewsTest, AnImageThatOverflowsHasNoViewsEither) {
  const auto files = gradients(2);
  script_.poison = row_of_view(1, {}, 0)[0];
  FeatureCache features = cache();
  const Extraction extraction = run(files, with_views(2), {&features});
  EXPECT_THAT(statuses(extraction), ElementsAre(kExtracted, kRejected));
  EXPECT_THAT(extraction.images[1].views, ElementsAre(kRejected, kRejected));
  EXPECT_THAT(extraction.images[1].reason, HasSubstr("overflows"));
  EXPECT_EQ(extraction.images[1].note, "");
  EXPECT_FALSE(features.contains(*extraction.images[1].content));
  EXPECT_EQ(features.rows(), 5U) << "its views were in order, and stay in the cache";
}

TEST_F(ExtractorViewsTest, AKnownImageThatCanNoLongerBeDecodedStays) {
  const auto files = gradients(2);
  FeatureCache features = cache();
  (void)run(files, options(), {&features});
  auto strict = with_views(2);
  strict.decode.max_pixels = 100;
  const Extraction extraction = run(files, strict, {&features});
  EXPECT_THAT(statuses(extraction), Each(kCached));
  for (const ImageResult& image : extraction.images) {
    EXPECT_THAT(image.views, ElementsAre(kRejected, kRejected));
    EXPECT_THAT(image.note, HasSubstr("more than the limit"));
    EXPECT_EQ(image.reason, "");
  }
}

TEST_F(ExtractorViewsTest, AnEngineThatFailsLosesNoEarlierBatch) {
  const auto files = gradients(20);
  script_.fail_at_run = 5;
  {
    FeatureCache features = cache();
    EXPECT_THROW((void)run(files, with_views(2, 4), {&features}), Error);
  }
  script_.fail_at_run = -1;
  FeatureCache features = cache();
  EXPECT_EQ(features.rows(), 20U);  // six images, and two rows of the seventh
  const Extraction rest = run(files, with_views(2), {&features});
  EXPECT_THAT(rest.images[5].views, ElementsAre(kCached, kCached));
  EXPECT_EQ(rest.images[6].status, kCached);
  EXPECT_THAT(rest.images[6].views, ElementsAre(kCached, kExtracted));
  EXPECT_EQ(rest.images[7].status, kExtracted);
  expect_rows(features, rest, 2);
}

TEST_F(ExtractorViewsTest, AnInterruptedRunIsTakenUpAgain) {
  const auto files = gradients(100);
  std::atomic<bool> stop{false};
  script_.hook = [&](int run) { stop = run >= 2; };
  auto interruptible = with_views(2);
  interruptible.stop = &stop;
  std::size_t finished = 0;
  {
    FeatureCache features = cache();
    const Extraction extraction = run(files, interruptible, {&features});
    EXPECT_TRUE(extraction.interrupted);
    const auto all = statuses(extraction);
    finished = static_cast<std::size_t>(std::count(all.begin(), all.end(), kExtracted));
    EXPECT_LT(finished, 100U);
    for (std::size_t i = 0; i < 100; ++i) {
      EXPECT_THAT(extraction.images[i].views, Each(i < finished ? kExtracted : kSkipped)) << i;
      EXPECT_EQ(extraction.images[i].views.size(), 2U);
    }
  }
  script_.hook = nullptr;
  stop = false;
  FeatureCache features = cache();
  EXPECT_EQ(features.rows(), 3 * finished) << "an image that was begun is finished with all its views";
  const Extraction rest = run(files, interruptible, {&features});
  EXPECT_FALSE(rest.interrupted);
  EXPECT_EQ(rest.decoded, 100 - finished);
  expect_rows(features, rest, 2);
}

TEST_F(ExtractorViewsTest, ReadingStaysAsFewRowsAheadOfTheNetworkAsWithoutViews) {
  constexpr int kTotal = 60;
  constexpr int kFilesAhead = (64 + 4) / 4;  // 64 rows and two for each of two threads, four to a file
  std::vector<fs::path> files = gradients(kTotal);
  for (int i = kFilesAhead + 1; i < kTotal; ++i) fs::remove(files[static_cast<std::size_t>(i)]);
  script_.hook = [&](int run) {
    if (run != 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    files = gradients(kTotal);
  };
  const std::vector<fs::path> fixed = files;
  FeatureCache features = cache();
  EXPECT_THAT(statuses(run(fixed, with_views(3), {&features})), Each(kExtracted));
}

TEST_F(ExtractorViewsTest, ANumberOfViewsOutOfRangeIsRefused) {
  FeatureCache features = cache();
  EXPECT_THROW((void)run({}, with_views(-1), {&features}), std::logic_error);
  EXPECT_THROW((void)run({}, with_views(kMaxViews + 1), {&features}), std::logic_error);
}

TEST_F(ExtractorViewsTest, ProgressCountsImages) {
  const auto files = gradients(10);
  std::vector<ExtractionProgress> seen;
  auto watched = with_views(2, 4);
  watched.on_progress = [&](const ExtractionProgress& progress) { seen.push_back(progress); };
  FeatureCache features = cache();
  (void)run(files, watched, {&features});
  ASSERT_FALSE(seen.empty());
  EXPECT_TRUE(
      std::is_sorted(seen.begin(), seen.end(), [](const auto& a, const auto& b) { return a.done < b.done; }));
  EXPECT_EQ(seen.back().done, 10U);
  EXPECT_EQ(seen.back().total, 10U);
}

}  // namespace
}  // namespace headstart

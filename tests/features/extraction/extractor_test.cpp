// tests/features/extraction/extractor_test.cpp: order, fate and memory of the pipeline;
// extractor_views_test.cpp has views.
#include "features/extraction/extractor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include "features/cache/cache_folder.hpp"
#include "tests/features/extraction/extractor_fixture.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(ExtractorTest, EveryImageGetsItsOwnRow) {
  const auto files = images(10);
  FeatureCache features = cache();
  const Extraction extraction = run(files, options(), {&features});
  EXPECT_THAT(statuses(extraction), Each(kExtracted));
  EXPECT_FALSE(extraction.interrupted);
  ASSERT_TRUE(extraction.engine);
  EXPECT_EQ(extraction.engine->name, "fake");
  EXPECT_EQ(script_.runs, 3);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(cached_row(features, extraction.images[static_cast<std::size_t>(i)]),
              fake_activations(row_of(i), Tap{"block5_pool"}));
  }
}

TEST_F(ExtractorTest, RowsReachTheNetworkInTheOrderOfTheFiles) {
  const auto files = images(23);
  FeatureCache features = cache();
  const Extraction extraction = run(files, options(4), {&features});
  EXPECT_THAT(statuses(extraction), Each(kExtracted));
  ASSERT_EQ(script_.rows.size(), 24U);
  for (int i = 0; i < 23; ++i) EXPECT_EQ(script_.rows[static_cast<std::size_t>(i)], row_of(i));
}

TEST_F(ExtractorTest, ARejectKeepsItsRowAndShiftsNoOther) {
  const std::vector<fs::path> files{file("first.jpg", "this is no image"), image("a.ppm", 1),
                                    folder_ / "missing.png", image("b.ppm", 2), file("empty.png", "")};
  FeatureCache features = cache();
  const Extraction extraction = run(files, options(), {&features});
  EXPECT_THAT(statuses(extraction), ElementsAre(kRejected, kExtracted, kRejected, kExtracted, kRejected));
  for (const std::size_t row : {0U, 2U, 4U}) EXPECT_NE(extraction.images[row].reason, "");
  EXPECT_TRUE(extraction.images[0].content);
  EXPECT_FALSE(extraction.images[2].content);
  EXPECT_EQ(cached_row(features, extraction.images[1]), fake_activations(row_of(1), Tap{"block5_pool"}));
  EXPECT_EQ(cached_row(features, extraction.images[3]), fake_activations(row_of(2), Tap{"block5_pool"}));
  EXPECT_EQ(features.rows(), 2U);
}

TEST_F(ExtractorTest, TheFirstOfSeveralEqualFilesGoesThroughTheNetwork) {
  const std::vector<fs::path> files{image("a.ppm", 1), image("b.ppm", 2), image("a2.ppm", 1),
                                    image("a3.ppm", 1), image("b2.ppm", 2)};
  FeatureCache features = cache();
  const Extraction extraction = run(files, options(4), {&features});
  EXPECT_THAT(statuses(extraction), ElementsAre(kExtracted, kExtracted, kCopy, kCopy, kCopy));
  EXPECT_EQ(extraction.images[0].content, extraction.images[3].content);
  EXPECT_EQ(features.rows(), 2U);
  EXPECT_EQ(script_.runs, 1);
}

TEST_F(ExtractorTest, EqualFilesAreRejectedAlike) {
  const std::vector<fs::path> files{file("a.png", "broken"), image("b.ppm", 2), file("a2.png", "broken")};
  FeatureCache features = cache();
  const Extraction extraction = run(files, options(), {&features});
  EXPECT_THAT(statuses(extraction), ElementsAre(kRejected, kExtracted, kRejected));
  EXPECT_NE(extraction.images[0].reason, "");
  EXPECT_EQ(extraction.images[0], extraction.images[2]);
}

TEST_F(ExtractorTest, ASecondRunHitsTheCacheAndOpensNoEngine) {
  const auto files = images(5);
  {
    FeatureCache features = cache();
    EXPECT_THAT(statuses(run(files, options(), {&features})), Each(kExtracted));
  }
  FeatureCache features = cache();
  const Extraction again = run(files, options(), {&features});
  EXPECT_THAT(statuses(again), Each(kCached));
  EXPECT_FALSE(again.engine);
  EXPECT_EQ(script_.opened, 1);
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(ExtractorTest, NoFilesAreNoWork) {
  FeatureCache features = cache();
  const Extraction extraction = run({}, options(), {&features});
  EXPECT_TRUE(extraction.images.empty());
  EXPECT_FALSE(extraction.interrupted);
  EXPECT_EQ(script_.opened, 0);
}

TEST_F(ExtractorTest, AMissingTapIsComputedAndAKnownOneIsNotStoredAgain) {
  const auto files = images(3);
  FeatureCache deep = cache(Tap{"block5_pool"});
  FeatureCache shallow = cache(Tap{"block4_pool"});
  EXPECT_THAT(statuses(run(std::span(files).first(2), options(), {&deep})), Each(kExtracted));
  const Extraction both = run(files, options(), {&shallow, &deep});
  EXPECT_THAT(statuses(both), Each(kExtracted));
  EXPECT_EQ(shallow.rows(), 3U);
  EXPECT_EQ(deep.rows(), 3U);
  EXPECT_EQ(list_cache(folder_ / "cache", [](const std::string&) {}).size(), 2U);
  for (int i = 0; i < 3; ++i) {
    const ImageResult& image = both.images[static_cast<std::size_t>(i)];
    EXPECT_EQ(cached_row(shallow, image), fake_activations(row_of(i), Tap{"block4_pool"}));
    EXPECT_EQ(cached_row(deep, image), fake_activations(row_of(i), Tap{"block5_pool"}));
  }
}

TEST_F(ExtractorTest, AnOverflowIsARejectAndIsNeverCached) {
  std::vector<fs::path> files = images(4);
  files.push_back(image("again.ppm", 2));
  script_.poison = row_of(2)[0];
  FeatureCache deep = cache(Tap{"block5_pool"});
  FeatureCache shallow = cache(Tap{"block4_pool"});
  const Extraction extraction = run(files, options(), {&deep, &shallow});
  EXPECT_THAT(statuses(extraction), ElementsAre(kExtracted, kExtracted, kRejected, kExtracted, kRejected));
  EXPECT_THAT(extraction.images[2].reason, HasSubstr("overflows at block5_pool (fp32)"));
  EXPECT_EQ(extraction.images[2], extraction.images[4]);
  for (const FeatureCache* features : {&deep, &shallow}) {
    EXPECT_EQ(features->rows(), 3U);
    EXPECT_FALSE(features->contains(*extraction.images[2].content));
  }
  EXPECT_EQ(cached_row(deep, extraction.images[3]), fake_activations(row_of(3), Tap{"block5_pool"}));
}

TEST_F(ExtractorTest, AnEngineThatFailsEndsTheRunAndLosesNoEarlierBatch) {
  const auto files = images(40);
  script_.fail_at_run = 2;
  FeatureCache features = cache();
  try {
    const Extraction extraction = run(files, options(4), {&features});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("the fake engine failed"));
  }
  EXPECT_EQ(script_.runs, 3);
  EXPECT_EQ(cache().rows(), 8U);  // on disk, seen by another reader

  script_.fail_at_run = -1;
  script_.runs = 0;
  FeatureCache again = cache();
  const Extraction rest = run(files, options(), {&again});
  EXPECT_EQ(rest.images[7].status, kCached);
  EXPECT_EQ(rest.images[8].status, kExtracted);
  EXPECT_EQ(again.rows(), 40U);
  EXPECT_EQ(script_.runs, 8);
}

TEST_F(ExtractorTest, AnEngineThatDoesNotOpenIsAnError) {
  const auto files = images(3);
  FeatureCache features = cache();
  FeatureCache* const caches[] = {&features};
  const OpenEngine fail = [](const std::optional<Tap>&) -> std::unique_ptr<Engine> {
    throw Error(Error::Kind::kFailed, "engine fake is not available", "no device", "none");
  };
  EXPECT_THROW((void)extract(sources_of(files), options(), fail, caches), Error);
}

TEST_F(ExtractorTest, AnEngineWithOtherTapsIsRefused) {
  const auto files = images(1);
  FeatureCache features = cache(Tap{"block4_pool"});
  FeatureCache* const caches[] = {&features};
  const OpenEngine wrong = [&](const std::optional<Tap>& from) {
    return std::make_unique<FakeEngine>(script_, std::vector{Tap{"block5_pool"}}, from);
  };
  EXPECT_THROW((void)extract(sources_of(files), options(), wrong, caches), std::logic_error);
}

TEST_F(ExtractorTest, AnInterruptedRunPublishesWhatWasInFlightAndIsTakenUpAgain) {
  const auto files = images(200);
  std::atomic<bool> stop{false};
  script_.hook = [&](int run) { stop = run >= 2; };
  auto interruptible = options();
  interruptible.stop = &stop;
  std::size_t finished = 0;
  {
    FeatureCache features = cache();
    const Extraction extraction = run(files, interruptible, {&features});
    EXPECT_TRUE(extraction.interrupted);
    const auto all = statuses(extraction);
    finished = static_cast<std::size_t>(std::count(all.begin(), all.end(), kExtracted));
    EXPECT_EQ(finished, 12U) << "the batch that was in the network is the last";
    EXPECT_EQ(script_.runs, 3);
    EXPECT_EQ(static_cast<std::size_t>(std::count(all.begin(), all.end(), kSkipped)), 200U - finished);
    EXPECT_TRUE(std::is_sorted(all.begin(), all.end(),
                               [](auto a, auto b) { return a != kSkipped && b == kSkipped; }));
  }
  script_.hook = nullptr;
  stop = false;
  FeatureCache features = cache();
  EXPECT_EQ(features.rows(), finished);
  const Extraction rest = run(files, interruptible, {&features});
  EXPECT_FALSE(rest.interrupted);
  for (std::size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ(rest.images[i].status, i < finished ? kCached : kExtracted) << i;
    EXPECT_EQ(cached_row(features, rest.images[i]),
              fake_activations(row_of(static_cast<int>(i)), Tap{"block5_pool"}));
  }
}

TEST_F(ExtractorTest, ARunThatIsInterruptedAtOnceDoesNothing) {
  const auto files = images(3);
  const std::atomic<bool> stop{true};
  auto interrupted = options();
  interrupted.stop = &stop;
  FeatureCache features = cache();
  const Extraction extraction = run(files, interrupted, {&features});
  EXPECT_TRUE(extraction.interrupted);
  EXPECT_THAT(statuses(extraction), Each(kSkipped));
  EXPECT_EQ(script_.opened, 0);
}

/// How far reading may run ahead of the network at this size and two threads: 64 rows, 2 x 2 items, the batch
/// in the network and the one that is gathered meanwhile.
constexpr int kRowsAhead = 64 + 4 + 2 * 4;

TEST_F(ExtractorTest, ReadingStaysAFixedNumberOfImagesAheadOfTheNetwork) {
  const int total = 3 * kRowsAhead;
  std::vector<fs::path> files = images(total);
  // What lies beyond the bound appears only while the first batch is in the network: had it been read, it
  // would be missing.
  for (int i = kRowsAhead + 1; i < total; ++i) fs::remove(files[static_cast<std::size_t>(i)]);
  script_.hook = [&](int run) {
    if (run != 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    files = images(total);
  };
  const std::vector<fs::path> fixed = files;
  FeatureCache features = cache();
  const Extraction extraction = run(fixed, options(2), {&features});
  EXPECT_THAT(statuses(extraction), Each(kExtracted));
}

TEST_F(ExtractorTest, DecodingGoesOnWhileTheNetworkRuns) {
  const std::vector<fs::path> files = images(30);
  script_.hook = [&](int run) {
    if (run != 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    for (std::size_t i = 12; i < 16; ++i) fs::remove(files[i]);  // too late: they have been read
  };
  FeatureCache features = cache();
  const Extraction extraction = run(files, options(2), {&features});
  EXPECT_THAT(statuses(extraction), Each(kExtracted));
}

TEST_F(ExtractorTest, ResultsAreEncodedWhileTheNextBatchIsInTheNetwork) {
  // What the first batch gave is settled, as its progress tells, before the second one's run ends.
  const std::vector<fs::path> files = images(12);
  ExtractionOptions overlapped = options(2);
  std::atomic<std::size_t> done{0};
  overlapped.on_progress = [&](const ExtractionProgress& progress) { done = progress.done; };
  bool settled = false;
  script_.hook = [&](int run) {
    if (run != 1) return;
    for (int wait = 0; wait < 5000 && done < 4; ++wait)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    settled = done >= 4;
  };
  FeatureCache features = cache();
  const Extraction extraction = run(files, overlapped, {&features});
  EXPECT_TRUE(settled);
  EXPECT_THAT(statuses(extraction), Each(kExtracted));
}

TEST_F(ExtractorTest, ProgressRisesToTheEndFromOneThreadAtATime) {
  std::vector<fs::path> files = images(20);
  files.push_back(file("broken.png", "broken"));
  files.push_back(image("again.ppm", 3));
  std::vector<ExtractionProgress> seen;
  std::atomic<int> inside{0};
  auto watched = options(4);
  watched.on_progress = [&](const ExtractionProgress& progress) {
    EXPECT_EQ(inside++, 0);
    seen.push_back(progress);
    --inside;
  };
  FeatureCache features = cache();
  const Extraction extraction = run(files, watched, {&features});
  ASSERT_FALSE(seen.empty());
  EXPECT_TRUE(
      std::is_sorted(seen.begin(), seen.end(), [](const auto& a, const auto& b) { return a.done < b.done; }));
  for (const ExtractionProgress& progress : seen) EXPECT_EQ(progress.total, files.size());
  EXPECT_EQ(seen.back().done, files.size());
  EXPECT_EQ(seen.back().cached, 0U) << "a copy is not from the cache";
  EXPECT_EQ(seen.back().rejected, 1U);
  EXPECT_GT(extraction.seconds, 0.0);
}

/// Whatever the mix of images, duplicates and broken files, and whatever batch and threads: the fate of each
/// file is what a loop over the files would give.
TEST_F(ExtractorTest, FatesDoNotDependOnBatchOrThreads) {
  int round = 0;
  EXPECT_TRUE(rc::check([&] {
    const auto colours = *rc::gen::container<std::vector<int>>(rc::gen::inRange(-3, 12));  // below 0: broken
    script_ = Script{};
    script_.batch_size = *rc::gen::inRange(1, 9);
    auto any_options = options(*rc::gen::inRange(1, 5));
    any_options.views = *rc::gen::inRange(0, 3);
    const std::string prefix = std::to_string(round++) + "-";
    std::vector<fs::path> files;
    std::vector<ImageStatus> expected;
    std::set<int> seen;
    for (const int colour : colours) {
      const std::string name = prefix + std::to_string(files.size());
      files.push_back(colour < 0 ? file(name, "broken" + std::to_string(colour)) : image(name, colour));
      expected.push_back(colour < 0 ? kRejected : seen.insert(colour).second ? kExtracted : kCopy);
    }
    ExtractorConfiguration configuration;
    configuration.resize.size = kSize;
    FeatureCache features(folder_ / (prefix + "cache"), configuration, Tap{"block5_pool"},
                          [](const std::string&) {});
    const Extraction extraction = run(files, any_options, {&features});
    RC_ASSERT(statuses(extraction) == expected);
    RC_ASSERT(features.rows() == seen.size() * (1 + static_cast<std::size_t>(any_options.views)));
    for (std::size_t i = 0; i < files.size(); ++i) {
      for (const ImageStatus view : extraction.images[i].views) RC_ASSERT(view == expected[i]);
      if (colours[i] < 0) continue;
      RC_ASSERT(cached_row(features, extraction.images[i]) ==
                fake_activations(row_of(colours[i]), Tap{"block5_pool"}));
    }
  }));
}

}  // namespace
}  // namespace headstart

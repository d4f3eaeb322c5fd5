// tests/features/extraction/extractor_taps_test.cpp: rows that are computed from a cached lower tap instead
// of their image.
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <string>

#include "data/file_bytes.hpp"
#include "data/image/view.hpp"
#include "features/cache/segment_files.hpp"
#include "tests/features/extraction/extractor_fixture.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ExtractorTapsTest : public ExtractorTest {
 protected:
  /// With the caches of lower taps, which are opened when they are asked for.
  ExtractionOptions with_taps(int threads = 2) {
    ExtractionOptions result = options(threads);
    result.lower = [this](const Tap& tap) {
      std::unique_ptr<FeatureCache>& cache = lower_[tap.name];
      if (!cache) cache = std::make_unique<FeatureCache>(this->cache(tap));
      return cache.get();
    };
    return result;
  }
  /// Fills the cache of one tap from images, and forgets that.
  Extraction fill(const Tap& tap, std::span<const fs::path> files, int views = 0) {
    FeatureCache features = cache(tap);
    ExtractionOptions filling = options();
    filling.views = views;
    Extraction extraction = run(files, filling, {&features});
    features.save_index();
    script_ = Script{};
    return extraction;
  }
  [[nodiscard]] std::vector<fs::path> segments(const Tap& tap) const {
    std::error_code error;
    return list_segments(cache_folder(tap), error);
  }
  [[nodiscard]] fs::path cache_folder(const Tap& tap) const {
    ExtractorConfiguration configuration;
    configuration.resize.size = kSize;
    return folder_ / "cache" / configuration.fingerprint() / to_string(tap);
  }
  /// A byte of the first segment's activations becomes another one; its times stay, so that the index trusts
  /// it.
  void damage(const Tap& tap) const {
    const fs::path file = segments(tap).at(0);
    const auto time = fs::last_write_time(file);
    const auto middle = static_cast<std::streamoff>(fs::file_size(file) / 2);
    std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
    const auto byte = static_cast<char>(stream.seekg(middle).peek() ^ 1);
    stream.seekp(middle).put(byte);
    stream.close();
    fs::last_write_time(file, time);
  }
  static RowsOfTaps from(const Tap& tap, std::size_t rows) { return {{tap.name, rows}}; }
  void expect_rows(FeatureCache& features, const Extraction& extraction) {
    for (std::size_t i = 0; i < extraction.images.size(); ++i)
      EXPECT_EQ(cached_row(features, extraction.images[i]),
                fake_activations(row_of(static_cast<int>(i)), features.tap()));
  }

  std::map<std::string, std::unique_ptr<FeatureCache>> lower_;
};

TEST_F(ExtractorTapsTest, AMissingTapIsComputedFromTheCachedOneBelowIt) {
  const auto files = images(10);
  (void)fill(Tap{"block4_pool"}, files);
  FeatureCache features = cache();
  const Extraction extraction = run(files, with_taps(), {&features});
  EXPECT_THAT(statuses(extraction), Each(kExtracted));
  EXPECT_FALSE(extraction.interrupted);
  EXPECT_EQ(extraction.decoded, 0U);
  EXPECT_EQ(extraction.from_taps, from(Tap{"block4_pool"}, 10));
  EXPECT_THAT(script_.began_at, ElementsAre(Tap{"block4_pool"}));
  EXPECT_EQ(script_.runs, 3);
  ASSERT_TRUE(extraction.engine);
  EXPECT_EQ(extraction.engine->implementation, "arithmetic, from block4_pool");
  expect_rows(features, extraction);
  EXPECT_EQ(cache().rows(), 10U);  // on disk, seen by another reader
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(ExtractorTapsTest, WithoutTheLowerCachesImagesAreDecoded) {
  const auto files = images(3);
  (void)fill(Tap{"block4_pool"}, files);
  FeatureCache features = cache();
  const Extraction extraction = run(files, options(), {&features});
  EXPECT_EQ(extraction.decoded, 3U);
  EXPECT_EQ(extraction.from_taps, RowsOfTaps{});
}

TEST_F(ExtractorTapsTest, AFileWhoseDigestIsKnownIsNotEvenRead) {
  const auto content = fill(Tap{"block4_pool"}, images(2)).images;
  FileDigests digests(folder_ / "stat", true);
  std::vector<fs::path> files;
  for (const ImageResult& image : content) {
    files.push_back(file("no-image-" + std::to_string(files.size()), "anything else"));
    digests.add(*FileStamp::of(files.back()), *image.content, std::int64_t{1} << 62);
  }
  FeatureCache features = cache();
  ExtractionOptions knowing = with_taps();
  knowing.digests = &digests;
  const Extraction extraction = run(files, knowing, {&features});
  EXPECT_THAT(statuses(extraction), Each(kExtracted));
  expect_rows(features, extraction);
}

TEST_F(ExtractorTapsTest, EachRowBeginsAtItsOwnNearestTap) {
  const auto files = images(9);
  (void)fill(Tap{"block2_pool"}, std::span(files).first(6));
  (void)fill(Tap{"block4_pool"}, std::span(files).subspan(3, 3));
  (void)fill(Tap{"block5_pool"}, std::span(files).first(1));
  FeatureCache features = cache();
  const Extraction extraction = run(files, with_taps(), {&features});
  EXPECT_EQ(extraction.images[0].status, kCached);
  EXPECT_THAT(std::vector(extraction.images.begin() + 1, extraction.images.end()),
              Each(testing::Field(&ImageResult::status, kExtracted)));
  EXPECT_EQ(extraction.decoded, 3U);
  EXPECT_EQ(extraction.from_taps.at("block2_pool"), 2U);
  EXPECT_EQ(extraction.from_taps.at("block4_pool"), 3U);
  EXPECT_THAT(script_.began_at, ElementsAre(std::nullopt, Tap{"block2_pool"}, Tap{"block4_pool"}));
  expect_rows(features, extraction);
}

TEST_F(ExtractorTapsTest, SeveralTapsBeginBelowTheLowestThatIsMissing) {
  const auto files = images(5);
  (void)fill(Tap{"block2_pool"}, files);
  (void)fill(Tap{"block4_pool"}, std::span(files).first(2));
  FeatureCache middle = cache(Tap{"block4_pool"});
  FeatureCache deep = cache(Tap{"block5_pool"});
  const Extraction extraction = run(files, with_taps(), {&deep, &middle});
  EXPECT_THAT(statuses(extraction), Each(kExtracted));
  EXPECT_EQ(extraction.decoded, 0U);
  // Two from the block4_pool that is to be filled as well.
  EXPECT_EQ(extraction.from_taps.at("block2_pool"), 3U);
  EXPECT_EQ(extraction.from_taps.at("block4_pool"), 2U);
  expect_rows(middle, extraction);
  expect_rows(deep, extraction);
  EXPECT_EQ(middle.rows(), 5U);
}

TEST_F(ExtractorTapsTest, ARunThatFindsEverythingOpensNoLowerCache) {
  const auto files = images(3);
  (void)fill(Tap{"block4_pool"}, files);
  (void)fill(Tap{"block5_pool"}, files);
  FeatureCache features = cache();
  EXPECT_THAT(statuses(run(files, with_taps(), {&features})), Each(kCached));
  EXPECT_THAT(lower_, IsEmpty());
}

TEST_F(ExtractorTapsTest, SegmentsSayWhatWasComputedFromATap) {
  const auto files = images(4);
  (void)fill(Tap{"block4_pool"}, std::span(files).first(2));
  FeatureCache features = cache();
  EXPECT_THAT(statuses(run(files, with_taps(), {&features})), Each(kExtracted));
  std::vector<std::string> origins;
  for (const fs::path& file : segments(Tap{"block5_pool"})) {
    const auto read = read_file(file, std::uint64_t{1} << 30);
    const SegmentHeader header = decode_segment_header(std::get<std::vector<std::byte>>(read));
    EXPECT_EQ(header.keys.size(), 2U);
    origins.push_back(header.origin.engine_version);
  }
  EXPECT_THAT(origins, testing::UnorderedElementsAre("1, arithmetic", "1, arithmetic, from block4_pool"));
}

TEST_F(ExtractorTapsTest, ViewsHaveTheirOwnRowsAtLowerTaps) {
  const auto files = images(4);
  (void)fill(Tap{"block4_pool"}, files, 1);
  FeatureCache features = cache();
  ExtractionOptions two_views = with_taps();
  two_views.views = 2;
  const Extraction extraction = run(files, two_views, {&features});
  EXPECT_EQ(extraction.from_taps, from(Tap{"block4_pool"}, 8));
  EXPECT_EQ(extraction.decoded, 4U);  // for the second view
  EXPECT_THAT(statuses(extraction), Each(kExtracted));
  for (std::size_t i = 0; i < files.size(); ++i) {
    EXPECT_THAT(extraction.images[i].views, ElementsAre(kExtracted, kExtracted));
    for (std::uint64_t view = 0; view <= 2; ++view) {  // all crops of one colour are alike
      ImageResult row;
      row.content = view_key(*extraction.images[i].content, view);
      EXPECT_EQ(cached_row(features, row), fake_activations(row_of(static_cast<int>(i)), Tap{"block5_pool"}));
    }
  }
}

TEST_F(ExtractorTapsTest, AnImageThatIsGoneKeepsTheRowThatItsTapGives) {
  const auto files = images(2);
  const auto known = fill(Tap{"block4_pool"}, files).images;
  FileDigests digests(folder_ / "stat", true);
  const fs::path broken = file("broken.ppm", "no image");
  digests.add(*FileStamp::of(broken), *known[0].content, std::int64_t{1} << 62);
  FeatureCache features = cache();
  ExtractionOptions with_view = with_taps();
  with_view.digests = &digests;
  with_view.views = 1;
  const Extraction extraction = run(std::vector{broken, files[1]}, with_view, {&features});
  EXPECT_THAT(statuses(extraction), Each(kExtracted));
  EXPECT_THAT(extraction.images[0].views, ElementsAre(kRejected));
  EXPECT_THAT(extraction.images[0].note, HasSubstr("gets no views"));
  EXPECT_THAT(extraction.images[1].views, ElementsAre(kExtracted));
  expect_rows(features, extraction);
}

TEST_F(ExtractorTapsTest, AnOverflowAboveTheTapIsARejectAndIsNeverCached) {
  std::vector<fs::path> files = images(4);
  files.push_back(image("again.ppm", 2));
  (void)fill(Tap{"block4_pool"}, files, 1);
  script_.poison = fake_number(row_of(2));
  FeatureCache features = cache();
  ExtractionOptions with_view = with_taps();
  with_view.views = 1;
  const Extraction extraction = run(files, with_view, {&features});
  EXPECT_THAT(statuses(extraction), ElementsAre(kExtracted, kExtracted, kRejected, kExtracted, kRejected));
  EXPECT_THAT(extraction.images[2].reason, HasSubstr("overflows at block5_pool (fp32)"));
  EXPECT_EQ(extraction.images[2], extraction.images[4]);
  EXPECT_THAT(extraction.images[2].views, ElementsAre(kRejected));
  EXPECT_EQ(features.rows(), 6U);
  EXPECT_EQ(extraction.decoded, 0U);
}

TEST_F(ExtractorTapsTest, AnInterruptedRunPublishesWhatItHasAndIsTakenUpAgain) {
  std::vector<fs::path> files = images(40);
  (void)fill(Tap{"block4_pool"}, files);
  files.push_back(image("again.ppm", 39));
  std::atomic<bool> stop{false};
  script_.hook = [&](int run) {
    if (run == 2) stop = true;
  };
  ExtractionOptions interruptible = with_taps();
  interruptible.stop = &stop;
  std::ptrdiff_t extracted = 0;
  {
    FeatureCache features = cache();
    const Extraction extraction = run(files, interruptible, {&features});
    EXPECT_TRUE(extraction.interrupted);
    const auto all = statuses(extraction);
    // Three batches, and what had been gathered of the next when it was stopped.
    extracted = std::count(all.begin(), all.end(), kExtracted);
    EXPECT_GE(extracted, 12);
    EXPECT_LE(extracted, 16);
    EXPECT_EQ(std::count(all.begin(), all.end(), kSkipped), 41 - extracted);
  }
  script_.hook = nullptr;
  stop = false;
  FeatureCache features = cache();
  EXPECT_EQ(features.rows(), static_cast<std::size_t>(extracted));
  const Extraction rest = run(files, interruptible, {&features});
  EXPECT_FALSE(rest.interrupted);
  EXPECT_EQ(rest.from_taps, from(Tap{"block4_pool"}, static_cast<std::size_t>(40 - extracted)));
  EXPECT_EQ(features.rows(), 40U);
}

TEST_F(ExtractorTapsTest, AnEngineThatFailsAboveATapLosesNoEarlierBatch) {
  const auto files = images(20);
  (void)fill(Tap{"block4_pool"}, files);
  script_.fail_at_run = 2;
  FeatureCache features = cache();
  EXPECT_THROW((void)run(files, with_taps(), {&features}), Error);
  EXPECT_EQ(cache().rows(), 8U);
}

TEST_F(ExtractorTapsTest, ASegmentThatIsFoundDamagedCostsDecodingItsImages) {
  const auto files = images(6);
  (void)fill(Tap{"block4_pool"}, std::span(files).first(3));
  damage(Tap{"block4_pool"});
  FeatureCache features = cache();
  const Extraction extraction = run(files, with_taps(), {&features});
  EXPECT_THAT(statuses(extraction), Each(kExtracted));
  EXPECT_EQ(extraction.decoded, 6U);
  expect_rows(features, extraction);
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("segment")));
}

TEST_F(ExtractorTapsTest, ASegmentThatIsDamagedWhileTheImagesPassSendsItsRowsToTheirImages) {
  std::vector<fs::path> files = images(6);
  (void)fill(Tap{"block4_pool"}, std::span(files).first(2));
  (void)fill(Tap{"block4_pool"}, std::span(files).subspan(2, 2));
  files.push_back(image("again.ppm", 0));
  script_.hook = [&](int run) {
    if (run == 0) damage(Tap{"block4_pool"});
  };
  std::vector<ExtractionProgress> seen;
  ExtractionOptions watched = with_taps();
  watched.on_progress = [&](const ExtractionProgress& progress) { seen.push_back(progress); };
  script_.batch_size = 2;
  FeatureCache features = cache();
  const Extraction extraction = run(files, watched, {&features});
  EXPECT_EQ(extraction.images.back().status, kCopy);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(extraction.images[i].status, kExtracted);
    EXPECT_EQ(cached_row(features, extraction.images[i]),
              fake_activations(row_of(static_cast<int>(i)), Tap{"block5_pool"}));
  }
  EXPECT_FALSE(extraction.interrupted);
  EXPECT_EQ(extraction.from_taps, from(Tap{"block4_pool"}, 2));
  EXPECT_EQ(extraction.decoded, 4U);
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("segment")));
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end(), [](auto& a, auto& b) { return a.done < b.done; }));
  EXPECT_EQ(seen.back().done, files.size());
}

TEST_F(ExtractorTapsTest, AFileWhoseRowsArePartlyLostKeepsTheOthers) {
  const auto files = images(3);
  const auto content = fill(Tap{"block4_pool"}, files).images;  // their own rows in one segment
  FeatureCache features = cache();
  ExtractionOptions with_view = with_taps();
  with_view.views = 1;
  script_.hook = [&](int run) {
    if (run == 0) damage(Tap{"block4_pool"});
  };
  const Extraction extraction = run(files, with_view, {&features});
  for (const ImageResult& image : extraction.images) {
    EXPECT_EQ(image.status, kExtracted);
    EXPECT_THAT(image.views, ElementsAre(kExtracted));
  }
  EXPECT_EQ(extraction.decoded, 6U);  // once for the views, once for what was lost
  EXPECT_EQ(features.rows(), 6U);
  expect_rows(features, extraction);
}

}  // namespace
}  // namespace headstart

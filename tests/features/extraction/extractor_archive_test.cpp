// tests/features/extraction/extractor_archive_test.cpp: images inside archives through the extractor.
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <set>

#include "data/archive/archive_listing.hpp"
#include "data/image/view.hpp"
#include "tests/features/extraction/extractor_fixture.hpp"
#include "tests/support/archive_file.hpp"
#include "tests/support/opened_files.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using test::ArchiveKind;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t kSettled = std::int64_t{1} << 62;  // a time at which any file is old enough

class ExtractorArchiveTest : public ExtractorTest {
 protected:
  /// One member for each colour, called by it.
  fs::path archive(const std::string& name, ArchiveKind kind, const std::vector<int>& colours) {
    std::vector<test::ArchiveEntry> entries;
    for (const int colour : colours) entries.push_back({std::to_string(colour) + ".ppm", ppm(colour)});
    test::write_archive(folder_ / name, kind, entries);
    return folder_ / name;
  }
  static std::vector<ImageSource> members(const fs::path& file) {
    const ArchiveListing listing = list_archive(file);
    std::vector<ImageSource> sources;
    for (const ListedMember& member : listing.files) sources.push_back(listing.source(member));
    return sources;
  }
  /// @param extraction  of the first of `sources`
  static void remember(FileDigests& digests, const std::vector<ImageSource>& sources,
                       const Extraction& extraction) {
    for (std::size_t i = 0; i < extraction.images.size(); ++i) {
      if (const auto& content = extraction.images[i].content)
        digests.add(*stamp_of(sources[i]), *content, kSettled, sources[i].member);
    }
  }
  static ExtractionOptions knowing(FileDigests& digests) {
    ExtractionOptions result = options();
    result.digests = &digests;
    return result;
  }
  /// The files beside the cache that a run opens.
  std::set<std::string> opened_by(const std::function<void()>& run) {
    const test::OpenedFiles opened({folder_.path()});
    run();
    return opened.names();
  }
};

TEST_F(ExtractorArchiveTest, ResultsAreInTheOrderOfTheSourcesAndReadingInThatOfTheArchives) {
  for (const ArchiveKind kind : {ArchiveKind::kTar, ArchiveKind::kTarGz, ArchiveKind::kZip}) {
    script_ = {};
    std::vector<ImageSource> sources = members(archive("a", kind, {3, 1, 2}));
    const std::vector<ImageSource> more = members(archive("b", kind, {6, 5, 4}));
    // By colour, as a manifest sorts by name; a file of its own in between.
    sources = {sources[1], sources[2], sources[0], {image("file.ppm", 7)}, more[2], more[1], more[0]};
    fs::remove_all(folder_ / "cache");
    FeatureCache features = cache();
    const Extraction extraction = run_sources(sources, options(4), {&features});
    EXPECT_THAT(statuses(extraction), Each(kExtracted));
    const std::vector<int> colours{1, 2, 3, 7, 4, 5, 6};
    for (std::size_t i = 0; i < colours.size(); ++i)
      EXPECT_EQ(cached_row(features, extraction.images[i]),
                fake_activations(row_of(colours[i]), Tap{"block5_pool"}));
    const std::vector<int> read{7, 3, 1, 2, 6, 5, 4};
    for (std::size_t i = 0; i < read.size(); ++i) EXPECT_EQ(script_.rows[i], row_of(read[i]));
  }
}

TEST_F(ExtractorArchiveTest, AMemberAndAFileOfTheSameBytesAreOneRow) {
  std::vector<ImageSource> sources = members(archive("a.tar", ArchiveKind::kTar, {1, 2}));
  sources.push_back({image("file.ppm", 2)});
  FeatureCache features = cache();
  const Extraction extraction = run_sources(sources, options(), {&features});
  EXPECT_THAT(statuses(extraction), ElementsAre(kExtracted, kCopy, kExtracted));
  EXPECT_EQ(extraction.images[1].content, extraction.images[2].content);
  EXPECT_EQ(features.rows(), 2U);
}

TEST_F(ExtractorArchiveTest, WhatCannotBeReadIsARejectInItsPlace) {
  const fs::path file = archive("a.tar", ArchiveKind::kTar, {1, 2, 3, 4});
  // Within the data of the last member: a header and data are a block of 512 bytes each.
  test::write_bytes(file, test::read_bytes(file).substr(0, std::size_t{7} * 512 + 20));
  std::vector<ImageSource> sources = members(file);
  ASSERT_EQ(sources.size(), 4U);
  sources.insert(sources.begin() + 1, {file, {}, "has no label"});
  FeatureCache features = cache();
  const Extraction extraction = run_sources(sources, options(), {&features});
  EXPECT_THAT(statuses(extraction), ElementsAre(kExtracted, kRejected, kExtracted, kExtracted, kRejected));
  EXPECT_EQ(extraction.images[1].reason, "has no label");
  EXPECT_THAT(extraction.images[4].reason, HasSubstr("cannot be read: "));
  EXPECT_EQ(cached_row(features, extraction.images[3]), fake_activations(row_of(3), Tap{"block5_pool"}));
}

TEST_F(ExtractorArchiveTest, OneReaderGoesOnFromRunToRun) {
  std::vector<int> colours(30);
  for (int i = 0; i < 30; ++i) colours[static_cast<std::size_t>(i)] = i;
  const fs::path file = archive("a.tar.gz", ArchiveKind::kTarGz, colours);
  const std::vector<ImageSource> sources = members(file);
  ImageReader reader;
  ExtractionOptions with_reader = options();
  with_reader.reader = &reader;
  FeatureCache features = cache();
  for (std::size_t begin = 0; begin < sources.size(); begin += 10) {
    EXPECT_THAT(statuses(run_sources(std::span(sources).subspan(begin, 10), with_reader, {&features})),
                Each(kExtracted));
    fs::remove(file);  // it is open, and is not opened again
  }
  EXPECT_THAT(statuses(run_sources(sources, with_reader, {&features})), Each(kRejected));
}

TEST_F(ExtractorArchiveTest, AnInterruptedRunIsTakenUpWhereTheArchiveWasLeft) {
  std::vector<int> colours(100);
  for (int i = 0; i < 100; ++i) colours[static_cast<std::size_t>(i)] = 99 - i;
  const std::vector<ImageSource> sources = members(archive("a.tar.zst", ArchiveKind::kTarZst, colours));
  std::atomic<bool> stop{false};
  script_.hook = [&](int run) {
    if (run == 2) stop = true;
  };
  ExtractionOptions interrupted = options();
  interrupted.stop = &stop;
  {
    FeatureCache features = cache();
    const Extraction first = run_sources(sources, interrupted, {&features});
    EXPECT_TRUE(first.interrupted);
    EXPECT_EQ(first.images.front().status, kExtracted);
    EXPECT_EQ(first.images.back().status, kSkipped);
  }
  script_.hook = {};
  FeatureCache features = cache();
  const Extraction second = run_sources(sources, options(), {&features});
  EXPECT_FALSE(second.interrupted);
  EXPECT_EQ(second.images.front().status, kCached);
  EXPECT_EQ(features.rows(), 100U);
  for (std::size_t i = 0; i < 100; ++i)
    EXPECT_EQ(cached_row(features, second.images[i]),
              fake_activations(row_of(colours[i]), Tap{"block5_pool"}));
}

TEST_F(ExtractorArchiveTest, AnUnchangedArchiveWhoseRowsAreCachedIsNotOpened) {
  for (const ArchiveKind kind : {ArchiveKind::kTar, ArchiveKind::kTarGz, ArchiveKind::kZip}) {
    const std::vector<ImageSource> sources = members(archive("a", kind, {3, 1, 3, 2}));
    FeatureCache features = cache();
    const Extraction cold = run_sources(sources, options(), {&features});
    FileDigests digests(folder_ / "stat", true);
    remember(digests, sources, cold);
    Extraction warm;
    EXPECT_THAT(opened_by([&] { warm = run_sources(sources, knowing(digests), {&features}); }), IsEmpty());
    EXPECT_THAT(statuses(warm), Each(kCached));
    for (std::size_t i = 0; i < sources.size(); ++i)
      EXPECT_EQ(warm.images[i].content, cold.images[i].content);
    FileDigests rehash(folder_ / "stat", false);
    remember(rehash, sources, cold);
    EXPECT_THAT(opened_by([&] { warm = run_sources(sources, knowing(rehash), {&features}); }),
                ElementsAre("a"));
    EXPECT_THAT(statuses(warm), Each(kCached));
    fs::remove(folder_ / "a");
  }
}

TEST_F(ExtractorArchiveTest, AKnownMemberIsReadWhereARowOfItIsMissing) {
  const std::vector<ImageSource> sources = members(archive("a.tar.gz", ArchiveKind::kTarGz, {1, 2, 3, 4}));
  FileDigests digests(folder_ / "stat", true);
  {
    FeatureCache features = cache();
    remember(digests, sources, run_sources(std::span(sources).first(2), options(), {&features}));
    (void)run_sources(std::span(sources).subspan(3), options(), {&features});
  }
  FeatureCache features = cache();
  ExtractionOptions with_view = knowing(digests);
  EXPECT_THAT(statuses(run_sources(sources, with_view, {&features})),
              ElementsAre(kCached, kCached, kExtracted, kCached));
  with_view.views = 1;
  const Extraction extraction = run_sources(sources, with_view, {&features});
  EXPECT_THAT(statuses(extraction), Each(kCached));
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const auto row = fake_activations(row_of(static_cast<int>(i) + 1), Tap{"block5_pool"});
    EXPECT_THAT(extraction.images[i].views, ElementsAre(kExtracted));
    EXPECT_EQ(cached_row(features, extraction.images[i]), row);
    ImageResult view;
    view.content = view_key(*extraction.images[i].content, 1);
    EXPECT_EQ(cached_row(features, view), row);
  }
}

TEST_F(ExtractorArchiveTest, AnArchiveThatChangedIsReadAgain) {
  const fs::path file = archive("a.tar", ArchiveKind::kTar, {1, 2});
  const std::vector<ImageSource> before = members(file);
  FeatureCache features = cache();
  FileDigests digests(folder_ / "stat", true);
  remember(digests, before, run_sources(before, options(), {&features}));
  // As large as before, and with the same names and time of writing, but with other images.
  const fs::file_time_type modified = fs::last_write_time(file);
  usleep(10'000);  // a tick of the file system's clock
  test::write_archive(file, ArchiveKind::kTar, {{"1.ppm", ppm(2)}, {"2.ppm", ppm(5)}});
  fs::last_write_time(file, modified);
  const Extraction after = run_sources(members(file), knowing(digests), {&features});
  EXPECT_THAT(statuses(after), ElementsAre(kCached, kExtracted));
  EXPECT_EQ(cached_row(features, after.images[0]), fake_activations(row_of(2), Tap{"block5_pool"}));
  EXPECT_EQ(cached_row(features, after.images[1]), fake_activations(row_of(5), Tap{"block5_pool"}));
  // What was listed is gone: rejects, as without the digests.
  std::ofstream(file, std::ios::app) << "more";
  const Extraction late = run_sources(before, knowing(digests), {&features});
  EXPECT_THAT(statuses(late), Each(kRejected));
  EXPECT_THAT(late.images[0].reason, HasSubstr("has changed since it was listed"));
}

TEST_F(ExtractorArchiveTest, RejectsAreTheSameWhereTheOthersAreKnown) {
  std::vector<test::ArchiveEntry> entries;
  for (int i = 0; i < 8; ++i) entries.push_back({std::to_string(i) + ".ppm", ppm(i)});
  const fs::path file = folder_ / "a.zip";
  test::write_archive(file, ArchiveKind::kZip, entries);
  std::string bytes = test::read_bytes(file);
  const std::vector<std::size_t> data = test::zip_data_of(bytes);
  for (const std::size_t i : {2U, 3U, 6U}) bytes.replace(data.at(i), 8, std::string(8, '\xFF'));
  test::write_bytes(file, bytes);
  std::vector<ImageSource> sources = members(file);
  ASSERT_EQ(sources.size(), 8U);
  sources[5].problem = "has no label";
  FeatureCache features = cache();
  const Extraction cold = run_sources(sources, options(), {&features});
  EXPECT_THAT(statuses(cold), ElementsAre(kExtracted, kExtracted, kRejected, kRejected, kExtracted, kRejected,
                                          kRejected, kExtracted));
  FileDigests digests(folder_ / "stat", true);
  std::vector<ImageSource> labelled = sources;
  labelled[5].problem.clear();
  remember(digests, labelled, run_sources(labelled, options(), {&features}));
  const Extraction warm = run_sources(sources, knowing(digests), {&features});
  for (std::size_t i = 0; i < sources.size(); ++i) {
    EXPECT_EQ(warm.images[i].status, has_row(cold.images[i].status) ? kCached : kRejected) << i;
    EXPECT_EQ(warm.images[i].reason, cold.images[i].reason) << i;
    EXPECT_EQ(warm.images[i].content, cold.images[i].content) << i;
  }
}

TEST_F(ExtractorArchiveTest, AKnownMemberIsReadOnceTheTapBelowProvesDamaged) {
  const std::vector<ImageSource> sources = members(archive("a.tar.gz", ArchiveKind::kTarGz, {1, 2, 3}));
  FileDigests digests(folder_ / "stat", true);
  {
    FeatureCache below = cache(Tap{"block4_pool"});
    remember(digests, sources, run_sources(sources, options(), {&below}));
    below.save_index();
  }
  ExtractionOptions with_taps = knowing(digests);
  FeatureCache below = cache(Tap{"block4_pool"});
  with_taps.lower = [&](const Tap& tap) { return tap == Tap{"block4_pool"} ? &below : nullptr; };
  {
    FeatureCache features = cache();
    Extraction extraction;
    EXPECT_THAT(opened_by([&] { extraction = run_sources(sources, with_taps, {&features}); }), IsEmpty());
    EXPECT_EQ(extraction.decoded, 0U);
    EXPECT_THAT(statuses(extraction), Each(kExtracted));
  }
  std::vector<fs::path> segments;
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "cache")) {
    if (entry.path().extension() != ".h5") continue;
    const bool is_below = entry.path().parent_path().filename() == "block4_pool";
    is_below ? segments.push_back(entry.path()) : static_cast<void>(fs::remove(entry.path()));
  }
  ASSERT_EQ(segments.size(), 1U);
  const fs::file_time_type modified = fs::last_write_time(segments[0]);
  std::string bytes = test::read_bytes(segments[0]);
  bytes[bytes.size() / 2] ^= 1;
  std::fstream(segments[0], std::ios::in | std::ios::out | std::ios::binary) << bytes;
  fs::last_write_time(segments[0], modified);
  FeatureCache features = cache();
  const Extraction extraction = run_sources(sources, with_taps, {&features});
  EXPECT_THAT(statuses(extraction), Each(kExtracted));
  EXPECT_EQ(extraction.decoded, 3U);
  for (std::size_t i = 0; i < sources.size(); ++i)
    EXPECT_EQ(cached_row(features, extraction.images[i]),
              fake_activations(row_of(static_cast<int>(i) + 1), Tap{"block5_pool"}));
}

}  // namespace
}  // namespace headstart

// tests/features/extractor_archive_test.cpp: images inside archives through the extractor.
#include <gmock/gmock.h>

#include "data/archive_listing.hpp"
#include "tests/features/extractor_fixture.hpp"
#include "tests/support/archive_file.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using test::ArchiveKind;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

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
                fake_activations(row_of(colours[i]), Tap::kBlock5Pool));
    const std::vector<int> read{7, 3, 1, 2, 6, 5, 4};
    for (std::size_t i = 0; i < read.size(); ++i) EXPECT_EQ(script_.rows[i], row_of(read[i]));
  }
}

TEST_F(ExtractorArchiveTest, AMemberAndAFileOfTheSameBytesAreOneRow) {
  std::vector<ImageSource> sources = members(archive("a.tar", ArchiveKind::kTar, {1, 2}));
  sources.push_back({image("file.ppm", 2)});
  FeatureCache features = cache();
  const Extraction extraction = run_sources(sources, options(), {&features});
  EXPECT_THAT(statuses(extraction), ElementsAre(kExtracted, kCached, kExtracted));
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
  EXPECT_EQ(cached_row(features, extraction.images[3]), fake_activations(row_of(3), Tap::kBlock5Pool));
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
  script_.hook = [&](int run) { stop = run == 2; };
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
    EXPECT_EQ(cached_row(features, second.images[i]), fake_activations(row_of(colours[i]), Tap::kBlock5Pool));
}

}  // namespace
}  // namespace headstart

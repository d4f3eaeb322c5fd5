// tests/features/cache/cache_test.cpp: the cache with real files: damage, kills, full disks and rivals, each
// of which may cost work but never gives a wrong row.
#include "features/cache/cache.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <numeric>
#include <thread>

#include "data/error.hpp"
#include "features/cache/cache_folder.hpp"
#include "features/cache/segment_files.hpp"
#include "features/cache/segment_index.hpp"
#include "features/hdf5/hdf5.hpp"
#include "tests/features/cache/cache_workplace.hpp"
#include "tests/features/cache/made_up_segment.hpp"
#include "tests/support/process.hpp"

namespace {
bool die_at_rename = false;
}  // namespace

// Takes the C library's place in this program: the moment between a complete temporary file and its name.
extern "C" int rename(const char* from, const char* to) noexcept {
  if (die_at_rename) kill(getpid(), SIGKILL);
  return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

namespace headstart {
namespace {

namespace fs = std::filesystem;
using test::flip_bit;
using test::in_child;
using test::keys_of;
using test::made_up_key;
using test::made_up_segment;
using test::rows_of;
using test::stored_as_float16;
using test::Workplace;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::size_t kColumns = test::kWorkplaceColumns;

ExtractorConfiguration configuration() { return test::workplace_configuration(); }

ExtractorConfiguration float16_configuration() {
  ExtractorConfiguration result = configuration();
  result.storage = FeatureType::kFloat16;
  return result;
}

fs::path file_of(const FeatureCache& cache, const Segment& segment) {
  return cache.folder() / segment_file_name(sha256(encode_segment(segment)));
}

std::string error_of_read(FeatureCache& cache, const std::vector<int>& images) {
  try {
    (void)cache.read(keys_of(images));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::kFailed);
    return error.what();
  }
  ADD_FAILURE() << "no Error was thrown";
  return {};
}

TEST(FeatureCache, WhatOneProcessPublishesTheNextOneReads) {
  Workplace workplace;
  EXPECT_TRUE(workplace.open().publish(made_up_segment({1, 2, 3})));
  FeatureCache cache = workplace.open();
  EXPECT_EQ(cache.rows(), 3U);
  EXPECT_TRUE(cache.contains(made_up_key(2)));
  EXPECT_FALSE(cache.contains(made_up_key(4)));
  const SparseRows rows = cache.read(keys_of({3, 1, 2}));
  EXPECT_GT(rows.values.size(), 100U);
  EXPECT_EQ(rows, rows_of({3, 1, 2}));
  EXPECT_THAT(workplace.warnings, IsEmpty());
}

TEST(FeatureCache, TheFolderIsLaidOutAsDocumented) {
  Workplace workplace;
  FeatureCache cache = workplace.open();
  EXPECT_FALSE(fs::exists(workplace.root()));  // looking creates nothing
  EXPECT_TRUE(cache.publish(made_up_segment({})));
  EXPECT_FALSE(fs::exists(workplace.root()));
  const Segment segment = made_up_segment({1});
  EXPECT_TRUE(cache.publish(segment));
  EXPECT_EQ(test::read_text((workplace.fingerprint_folder() / "extractor.json").string()),
            configuration().canonical_json());
  EXPECT_THAT(workplace.names(), ElementsAre(file_of(cache, segment).filename().string()));
  EXPECT_EQ(std::distance(fs::directory_iterator(workplace.fingerprint_folder()), {}), 2);
}

TEST(FeatureCache, FilesFollowTheUmaskSoThatACacheCanBeShared) {
  Workplace workplace;
  FeatureCache cache = workplace.open();
  const mode_t mask = umask(0022);
  cache.publish(made_up_segment({1}));
  umask(mask);
  EXPECT_EQ(fs::status(workplace.folder() / workplace.names().front()).permissions(), fs::perms{0644});
}

// The properties put segments in place without fsync: a hundred cases each would otherwise wait for the disk.
TEST(FeatureCache, AnySegmentationGivesTheSameRows) {
  EXPECT_TRUE(rc::check([] {
    Workplace workplace;
    const int images = *rc::gen::inRange(1, 20);
    std::vector<int> pending;
    for (int image = 0; image < images; ++image) {
      pending.push_back(image);
      if (image + 1 == images || *rc::gen::arbitrary<bool>()) {
        workplace.place(encode_segment(made_up_segment(std::exchange(pending, {}))));
      }
    }
    const auto wanted =
        *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, images));  // any order, repeats
    FeatureCache reader = workplace.open();
    RC_ASSERT(reader.rows() == static_cast<std::size_t>(images));
    RC_ASSERT(reader.read(keys_of(wanted)) == rows_of(wanted));
    RC_ASSERT(workplace.warnings.empty());
  }));
}

TEST(FeatureCache, ARunReadsWhatItPublishedAndWhatWasThere) {
  Workplace workplace;
  workplace.open().publish(made_up_segment({1, 2}));
  FeatureCache cache = workplace.open();
  cache.publish(made_up_segment({3}));
  cache.publish(made_up_segment({4, 5}));
  EXPECT_EQ(cache.read(keys_of({5, 1, 3, 1, 2, 4})), rows_of({5, 1, 3, 1, 2, 4}));
}

TEST(FeatureCache, DenseSegmentsAreReadToo) {
  Workplace workplace;
  const Segment dense = made_up_segment({1, 2}, {1, 1, 512}, 0.9);
  workplace.open().publish(dense);
  EXPECT_EQ(workplace.open().read(dense.keys), dense.rows);
}

TEST(FeatureCache, NothingIsReadForNoKeys) {
  Workplace workplace;
  const SparseRows rows = workplace.open().read({});
  EXPECT_EQ(rows.rows(), 0U);
  EXPECT_EQ(rows.columns, static_cast<std::int64_t>(kColumns));
}

TEST(FeatureCache, AKeyThatIsNotThereIsAnError) {
  Workplace workplace;
  FeatureCache cache = workplace.open();
  cache.publish(made_up_segment({1}));
  EXPECT_THAT(error_of_read(cache, {1, 2}),
              AllOf(HasSubstr(made_up_key(2).hex()), HasSubstr("run the command again")));
}

TEST(FeatureCache, ForTwoRowsOfOneKeyTheSmallestSegmentNameWins) {
  // The same image by two engines: rows that differ. All orders of publishing have to give the same row.
  Segment first = made_up_segment({1, 2});
  Segment second = made_up_segment({2, 3});
  second.rows.values[0] += 0.5F;  // of image 2
  const bool first_wins = sha256(encode_segment(first)) < sha256(encode_segment(second));
  SparseRows expected;
  expected.columns = kColumns;
  expected.append_row(first_wins ? first.rows : second.rows, first_wins ? 1 : 0);
  ASSERT_NE(first.rows.row_values(1)[0], second.rows.row_values(0)[0]);
  for (const bool swapped : {false, true}) {
    Workplace workplace;
    FeatureCache writer = workplace.open();
    writer.publish(swapped ? second : first);
    writer.publish(swapped ? first : second);
    EXPECT_EQ(writer.rows(), 3U);
    EXPECT_EQ(writer.read(keys_of({2})), expected);
    EXPECT_EQ(workplace.open().read(keys_of({2})), expected);
  }
}

TEST(FeatureCache, AFlippedBitNeverGivesAWrongRow) {
  EXPECT_TRUE(rc::check([] {
    Workplace workplace;
    const fs::path file = workplace.place(encode_segment(made_up_segment({1, 2, 3})));
    workplace.place(encode_segment(made_up_segment({4, 5})));
    flip_bit(file, *rc::gen::inRange<std::uint64_t>(0, fs::file_size(file) * 8));
    FeatureCache reader = workplace.open();
    RC_ASSERT(reader.rows() == 2U);
    RC_ASSERT(reader.read(keys_of({5, 4})) == rows_of({5, 4}));
    RC_ASSERT(workplace.warnings.size() == 1U);
    RC_ASSERT(workplace.warnings[0].find(file.string()) != std::string::npos);
    RC_ASSERT(fs::exists(file.string() + ".bad") && !fs::exists(file));
  }));
}

TEST(FeatureCache, ATruncatedSegmentIsSetAside) {
  EXPECT_TRUE(rc::check([] {
    Workplace workplace;
    const fs::path file = workplace.place(encode_segment(made_up_segment({1, 2, 3})));
    fs::resize_file(file, *rc::gen::inRange<std::uint64_t>(0, fs::file_size(file)));
    FeatureCache reader = workplace.open();
    RC_ASSERT(reader.rows() == 0U);
    RC_ASSERT(workplace.warnings.size() == 1U);
    RC_ASSERT(fs::exists(file.string() + ".bad") && !fs::exists(file));
  }));
}

TEST(FeatureCache, ADamagedSegmentIsReportedOnceAndReplaced) {
  Workplace workplace;
  const Segment segment = made_up_segment({1, 2, 3});
  FeatureCache writer = workplace.open();
  writer.publish(segment);
  flip_bit(file_of(writer, segment), 12345);
  FeatureCache cache = workplace.open();
  EXPECT_FALSE(cache.contains(made_up_key(1)));
  EXPECT_TRUE(cache.publish(segment));  // extracted again
  EXPECT_EQ(workplace.open().read(keys_of({3, 1})), rows_of({3, 1}));
  EXPECT_THAT(workplace.warnings, SizeIs(1));
}

TEST(FeatureCache, AForeignFileUnderARightNameIsSetAside) {
  Workplace workplace;
  const fs::path noise = workplace.place(std::vector<std::byte>(5000, std::byte{42}));
  Segment other_size = made_up_segment({1}, {2, 2, 512});
  const fs::path other_shape = workplace.place(encode_segment(other_size));
  Segment other_tap = made_up_segment({2});
  other_tap.tap = Tap{"block4_pool"};
  const fs::path other_pool = workplace.place(encode_segment(other_tap));
  EXPECT_EQ(workplace.open().rows(), 0U);
  EXPECT_THAT(workplace.warnings, SizeIs(3));
  for (const fs::path& file : {noise, other_shape, other_pool}) {
    EXPECT_FALSE(fs::exists(file));
    EXPECT_TRUE(fs::exists(file.string() + ".bad"));
  }
  EXPECT_THAT(workplace.warnings, ::testing::Contains(HasSubstr("block5_pool of 2x2x512")));
}

TEST(FeatureCache, ASegmentOfAnotherStorageIsSetAside) {
  for (const bool halves : {false, true}) {
    Workplace workplace;
    const ExtractorConfiguration of = halves ? float16_configuration() : configuration();
    const Segment right = halves ? stored_as_float16(made_up_segment({1})) : made_up_segment({1});
    const Segment wrong = halves ? made_up_segment({2}) : stored_as_float16(made_up_segment({2}));
    FeatureCache cache = workplace.open(workplace.root(), of);
    cache.publish(right);
    const fs::path file = file_of(cache, wrong);
    Workplace::write(file, encode_segment(wrong));
    const CacheVerification found = verify_cache(workplace.root(), [](auto, auto) {});
    ASSERT_THAT(found.faults, SizeIs(1));
    EXPECT_THAT(found.faults[0].reason, HasSubstr(halves ? "float32, not float16" : "float16, not float32"));
    EXPECT_EQ(workplace.open(workplace.root(), of).rows(), 1U);
    ASSERT_THAT(workplace.warnings, SizeIs(1));
    EXPECT_THAT(workplace.warnings[0], HasSubstr(halves ? "float32, not float16" : "float16, not float32"));
    EXPECT_TRUE(fs::exists(file.native() + ".bad"));
  }
}

TEST(FeatureCache, OtherNamesArePassedOver) {
  Workplace workplace;
  workplace.open().publish(made_up_segment({1}));
  const std::string digits(64, 'a');
  for (const std::string name : {"README", "segment-.h5", "segment-abc.h5", ".writing-1-2-3"}) {
    std::ofstream(workplace.folder() / name) << "x";
  }
  std::ofstream(workplace.folder() / ("segment-" + digits + ".h5.bad")) << "x";
  std::ofstream(workplace.folder() / ("segment-" + std::string(64, 'A') + ".h5")) << "x";
  EXPECT_EQ(workplace.open().rows(), 1U);
  EXPECT_THAT(workplace.warnings, IsEmpty());
  EXPECT_THAT(workplace.names(), SizeIs(7));
}

TEST(FeatureCache, WhatCannotBeReadIsReportedAndLeftAlone) {
  Workplace workplace;
  workplace.open().publish(made_up_segment({1}));
  const fs::path folder = workplace.folder() / ("segment-" + std::string(64, 'a') + ".h5");
  fs::create_directory(folder);
  EXPECT_EQ(workplace.open().rows(), 1U);
  ASSERT_THAT(workplace.warnings, SizeIs(1));
  EXPECT_THAT(workplace.warnings[0], HasSubstr(folder.string()));
  EXPECT_TRUE(fs::exists(folder));
}

TEST(FeatureCache, ASegmentThatVanishesAfterTheScanIsAnErrorThatSaysRunAgain) {
  Workplace workplace;
  FeatureCache cache = workplace.open();
  const Segment segment = made_up_segment({1});
  cache.publish(segment);
  fs::remove(file_of(cache, segment));
  EXPECT_THAT(error_of_read(cache, {1}), AllOf(HasSubstr("segment-"), HasSubstr("run the command again")));
}

TEST(FeatureCache, ASegmentThatChangesAfterTheScanIsAnErrorAndSetAside) {
  Workplace workplace;
  FeatureCache cache = workplace.open();
  const Segment segment = made_up_segment({1, 2});
  cache.publish(segment);
  const fs::path file = file_of(cache, segment);
  flip_bit(file, fs::file_size(file) * 8 - 100);
  EXPECT_THAT(error_of_read(cache, {2}), HasSubstr("run the command again"));
  EXPECT_TRUE(fs::exists(file.string() + ".bad"));
  EXPECT_EQ(workplace.open().rows(), 0U);
}

TEST(FeatureCache, ASegmentThatLiesAboutItsRowsIsSetAsideWhenTheyAreRead) {
  Workplace workplace;
  const Segment segment = made_up_segment({1, 2});
  std::vector<std::byte> bytes = encode_segment(segment);
  const auto value = std::as_bytes(std::span(segment.rows.values).first(4));
  const auto at = std::search(bytes.begin(), bytes.end(), value.begin(), value.end());
  ASSERT_NE(at, bytes.end());
  std::fill_n(at, 4, std::byte{0xFF});  // no number
  const fs::path file = workplace.place(bytes);
  FeatureCache cache = workplace.open();
  EXPECT_EQ(cache.rows(), 2U);  // the header is fine
  EXPECT_THAT(error_of_read(cache, {2}), HasSubstr("infinite or no number"));
  EXPECT_TRUE(fs::exists(file.string() + ".bad"));
}

TEST(FeatureCache, ASegmentThatLiesInAReadOnlyCacheIsAnErrorAndNotReadForEver) {
  Workplace workplace;
  const Segment segment = made_up_segment({1, 2});
  std::vector<std::byte> bytes = encode_segment(segment);
  const auto value = std::as_bytes(std::span(segment.rows.values).first(4));
  const auto at = std::search(bytes.begin(), bytes.end(), value.begin(), value.end());
  ASSERT_NE(at, bytes.end());
  std::fill_n(at, 4, std::byte{0xFF});  // no number
  workplace.place(bytes);
  workplace.place(encode_segment(made_up_segment({3})));
  const int status = workplace.in_child_without_writing([&] {
    FeatureCache cache = workplace.open();
    const bool lost = error_of_read(cache, {2}).find("run the command again") != std::string::npos;
    return lost && workplace.warnings.size() == 1 && cache.read(keys_of({3})) == rows_of({3});
  });
  EXPECT_EQ(status, 0);
}

TEST(FeatureCache, AnotherProcessesWholeSegmentIsNotSetAsideForTheDamagedOneBeforeIt) {
  Workplace workplace;
  const fs::path file = workplace.place(encode_segment(made_up_segment({1, 2})));
  flip_bit(file, 8000);
  const FileStamp damaged = *FileStamp::of(file);
  const auto read = read_segment_file(file);
  fs::remove(file);
  workplace.place(encode_segment(made_up_segment({1, 2})));  // somebody extracted them again
  EXPECT_THAT(set_aside(file, damaged, std::get<SegmentFault>(read)), HasSubstr("is passed over"));
  EXPECT_EQ(workplace.open().read(keys_of({1, 2})), rows_of({1, 2}));
}

TEST(FeatureCache, PublishingOverADamagedSegmentMakesItWhole) {
  Workplace workplace;
  FeatureCache cache = workplace.open();
  const Segment segment = made_up_segment({1, 2});
  flip_bit(workplace.place(encode_segment(segment)), 8000);
  EXPECT_TRUE(cache.publish(segment));
  EXPECT_EQ(workplace.open().read(keys_of({1, 2})), rows_of({1, 2}));
  EXPECT_THAT(workplace.warnings, IsEmpty());
}

// ---- the folder's index

/// Publishes two segments and has the index know them.
std::pair<fs::path, fs::path> indexed_segments(Workplace& workplace) {
  FeatureCache writer = workplace.open();
  const Segment first = made_up_segment({1, 2});
  const Segment second = made_up_segment({3, 4, 5});
  writer.publish(first);
  writer.publish(second);
  writer.save_index();
  return {file_of(writer, first), file_of(writer, second)};
}

/// Overwrites the file with as many other bytes; nobody who asks for its size and times can tell.
void rot(const fs::path& file) {
  const fs::file_time_type modified = fs::last_write_time(file);
  flip_bit(file, fs::file_size(file) * 4);
  fs::last_write_time(file, modified);
}

TEST(FeatureCacheIndex, SegmentsThatItKnowsAreNotReadToOpenTheCache) {
  Workplace workplace;
  const auto [first, second] = indexed_segments(workplace);
  // The index of a cache whose segments are then damaged behind its back: only an index that is believed
  // finds their rows.
  FeatureCache known = workplace.open();
  const SegmentIndex index = SegmentIndex::read(workplace.folder());
  rot(first);
  std::vector<IndexedSegment> segments(index.segments().begin(), index.segments().end());
  for (IndexedSegment& segment : segments) {
    const fs::path file = workplace.folder() / segment_file_name(segment.digest);
    segment = IndexedSegment(segment.digest, *FileStamp::of(file));
  }
  ASSERT_EQ(SegmentIndex::write(workplace.folder(), segments, {index.rows().begin(), index.rows().end()}),
            std::nullopt);
  FeatureCache cache = workplace.open();
  EXPECT_EQ(cache.rows(), 5U);
  EXPECT_THAT(workplace.warnings, IsEmpty());
  EXPECT_EQ(cache.read(keys_of({5, 3})), rows_of({5, 3}));
  // What is read is verified all the same.
  EXPECT_THAT(error_of_read(cache, {3, 1}), HasSubstr("run the command again"));
  EXPECT_THAT(workplace.warnings, ElementsAre(HasSubstr(first.string())));
  EXPECT_TRUE(fs::exists(first.string() + ".bad"));
  EXPECT_EQ(cache.rows(), 3U);
  EXPECT_EQ(cache.read(keys_of({4})), rows_of({4}));
}

TEST(FeatureCacheIndex, ASegmentThatWasTouchedIsVerifiedAgain) {
  Workplace workplace;
  const auto [first, second] = indexed_segments(workplace);
  flip_bit(first, 9999);
  FeatureCache cache = workplace.open();
  EXPECT_EQ(cache.rows(), 3U);
  EXPECT_THAT(workplace.warnings, ElementsAre(HasSubstr(first.string())));
  EXPECT_EQ(cache.read(keys_of({5, 3})), rows_of({5, 3}));
}

TEST(FeatureCacheIndex, NewAndGoneSegmentsAreSeen) {
  Workplace workplace;
  const auto [first, second] = indexed_segments(workplace);
  workplace.place(encode_segment(made_up_segment({7})));
  fs::remove(second);
  FeatureCache cache = workplace.open();
  EXPECT_EQ(cache.rows(), 3U);
  EXPECT_FALSE(cache.contains(made_up_key(3)));
  EXPECT_EQ(cache.read(keys_of({7, 1})), rows_of({7, 1}));
  cache.save_index();
  EXPECT_THAT(SegmentIndex::read(workplace.folder()).segments(), SizeIs(2));
  EXPECT_THAT(SegmentIndex::read(workplace.folder()).rows(), SizeIs(3));
  EXPECT_THAT(workplace.warnings, IsEmpty());
}

TEST(FeatureCacheIndex, OneThatLiesIsMadeAnewAndNeverGivesAWrongRow) {
  EXPECT_TRUE(rc::check([] {
    Workplace workplace;
    workplace.place(encode_segment(made_up_segment({1, 2})));
    workplace.place(encode_segment(made_up_segment({3, 4, 5})));
    workplace.open().save_index();
    const SegmentIndex index = SegmentIndex::read(workplace.folder());
    std::vector<IndexedRow> rows(index.rows().begin(), index.rows().end());
    RC_ASSERT(rows.size() == 5U);
    IndexedRow& lie = rows[*rc::gen::inRange<std::size_t>(0, rows.size())];
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        lie.row = *rc::gen::inRange(0, 5);
        break;
      case 1:
        lie.segment = 1 - lie.segment;
        break;
      case 2:
        lie.nonzeros = *rc::gen::inRange(0, 600);
        break;
      default:
        std::swap(lie.key, rows[*rc::gen::inRange<std::size_t>(0, rows.size())].key);
    }
    RC_ASSERT(SegmentIndex::write(workplace.folder(), {index.segments().begin(), index.segments().end()},
                                  rows) == std::nullopt);
    RC_ASSERT(workplace.open().read(keys_of({5, 4, 3, 2, 1})) == rows_of({5, 4, 3, 2, 1}));
  }));
}

TEST(FeatureCacheIndex, OneThatLiesInAReadOnlyCacheIsFoundAndNotBelievedAgain) {
  Workplace workplace;
  indexed_segments(workplace);
  test::have_index_lie(workplace.folder());
  const int status = workplace.in_child_without_writing([&] {
    FeatureCache cache = workplace.open();
    const bool right = cache.read(keys_of({5, 4, 3, 2, 1})) == rows_of({5, 4, 3, 2, 1});
    return right && workplace.warnings.size() == 1;
  });
  EXPECT_EQ(status, 0);
}

TEST(FeatureCacheIndex, OneThatHidesRowsDoesNotHideThemOnceTheyArePublishedAgain) {
  Workplace workplace;
  const Segment segment = made_up_segment({1, 2, 3});
  workplace.place(encode_segment(segment));
  workplace.open().save_index();
  const SegmentIndex index = SegmentIndex::read(workplace.folder());
  const std::vector<IndexedRow> told(index.rows().begin(), index.rows().end() - 1);
  ASSERT_EQ(SegmentIndex::write(workplace.folder(), {index.segments().begin(), index.segments().end()}, told),
            std::nullopt);
  FeatureCache cache = workplace.open();
  EXPECT_EQ(cache.rows(), 2U);
  EXPECT_TRUE(cache.publish(segment));
  EXPECT_EQ(cache.rows(), 3U);
  EXPECT_EQ(cache.read(keys_of({1, 2, 3})), rows_of({1, 2, 3}));
}

TEST(FeatureCacheIndex, DamagedOrDeletedItCostsReadingTheSegments) {
  for (const bool deleted : {false, true}) {
    Workplace workplace;
    indexed_segments(workplace);
    const fs::path index = workplace.folder() / "index";
    ASSERT_TRUE(fs::exists(index));
    if (deleted) {
      fs::remove(index);
    } else {
      flip_bit(index, fs::file_size(index) * 4);
    }
    FeatureCache cache = workplace.open();
    EXPECT_EQ(cache.read(keys_of({1, 2, 3, 4, 5})), rows_of({1, 2, 3, 4, 5}));
    cache.save_index();
    EXPECT_THAT(SegmentIndex::read(workplace.folder()).rows(), SizeIs(5));
    EXPECT_THAT(workplace.warnings, IsEmpty());
  }
}

TEST(FeatureCacheIndex, KeepsTheWinnerOfTwoRowsWhicheverSegmentGoes) {
  Segment first = made_up_segment({1, 2});
  Segment second = made_up_segment({2, 3});
  second.rows.values[0] += 0.5F;  // of image 2
  if (!(sha256(encode_segment(first)) < sha256(encode_segment(second)))) std::swap(first, second);
  const auto row_of = [](const Segment& segment) {
    SparseRows row;
    row.columns = kColumns;
    row.append_row(segment.rows, segment.keys[0] == made_up_key(2) ? 0 : 1);
    return row;
  };
  Workplace workplace;
  FeatureCache writer = workplace.open();
  writer.publish(second);
  writer.publish(first);
  writer.save_index();
  EXPECT_EQ(workplace.open().read(keys_of({2})), row_of(first));
  fs::remove(file_of(writer, first));
  EXPECT_EQ(workplace.open().read(keys_of({2})), row_of(second));
}

TEST(FeatureCache, ASegmentThatWasMergedIntoAnotherIsFoundUnderItsNewName) {
  Workplace workplace;
  FeatureCache cache = workplace.open();
  const Segment small = made_up_segment({1, 2});
  cache.publish(small);
  workplace.place(encode_segment(made_up_segment({1, 2, 3})));
  fs::remove(file_of(cache, small));
  EXPECT_EQ(cache.read(keys_of({2, 1})), rows_of({2, 1}));
  EXPECT_THAT(workplace.warnings, IsEmpty());
}

TEST(FeatureCache, TwoProcessesPublishAtOnce) {
  Workplace workplace;
  constexpr int kSegments = 40;
  // Each writes the segments of the other, too: the same name at the same time has to be fine.
  const auto publish_all = [&](int first) {
    FeatureCache cache = workplace.open();
    bool published = true;
    for (int i = 0; i < kSegments; ++i)
      published &= cache.publish(made_up_segment({(first + i) % kSegments, 1000 + i}));
    return published && workplace.warnings.empty();
  };
  const pid_t rival = fork();
  if (rival == 0) _exit(publish_all(0) ? 0 : 1);
  EXPECT_TRUE(publish_all(kSegments / 2));
  int status = -1;
  waitpid(rival, &status, 0);
  EXPECT_EQ(status, 0);

  FeatureCache cache = workplace.open();
  EXPECT_EQ(cache.rows(), 2U * kSegments);
  std::vector<int> images(kSegments);
  std::iota(images.begin(), images.end(), 0);
  EXPECT_EQ(cache.read(keys_of(images)), rows_of(images));
  for (const std::string& name : workplace.names()) EXPECT_THAT(name, ::testing::StartsWith("segment-"));
  EXPECT_THAT(workplace.warnings, IsEmpty());
}

TEST(FeatureCache, WhatIsPublishedTakesNoMemoryAnyMore) {
#ifdef HEADSTART_SANITIZED
  GTEST_SKIP() << "AddressSanitizer keeps freed memory for a while";
#endif
  Workplace workplace;
  const auto peak_mb = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
  };
  const int status = in_child([&] {
    FeatureCache cache = workplace.open();
    const auto publish = [&](int first) {
      std::vector<int> images(300);
      std::iota(images.begin(), images.end(), first);
      cache.publish(made_up_segment(images, {4, 4, 512}, 0.9));  // 10 MB
    };
    publish(0);
    const long after_one = peak_mb();
    for (int i = 1; i < 12; ++i) publish(300 * i);
    return peak_mb() - after_one < 40;
  });
  EXPECT_EQ(status, 0);
}

TEST(FeatureCache, AKillBetweenWriteAndRenameLeavesNothingWrong) {
  Workplace workplace;
  workplace.open().publish(made_up_segment({1}));
  const int status = in_child([&] {
    FeatureCache cache = workplace.open();
    die_at_rename = true;
    return cache.publish(made_up_segment({2, 3}));
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  const std::vector<std::string> names = workplace.names();
  ASSERT_THAT(names, SizeIs(2));
  EXPECT_THAT(names[0], ::testing::StartsWith(".writing-"));

  FeatureCache cache = workplace.open();
  EXPECT_EQ(cache.rows(), 1U);
  EXPECT_TRUE(cache.publish(made_up_segment({2, 3})));
  EXPECT_EQ(workplace.open().read(keys_of({1, 2, 3})), rows_of({1, 2, 3}));
  EXPECT_THAT(workplace.warnings, IsEmpty());

  // Young: it may be somebody's work. Old: it is nobody's.
  EXPECT_THAT(workplace.names(), ::testing::Contains(names[0]));
  fs::last_write_time(workplace.folder() / names[0],
                      fs::file_time_type::clock::now() - std::chrono::hours(25));
  workplace.open().publish(made_up_segment({4}));
  EXPECT_THAT(workplace.names(), ::testing::Not(::testing::Contains(names[0])));
}

TEST(FeatureCache, AKillAtAnyMomentLeavesOnlyWholeSegments) {
  Workplace workplace;
  std::size_t most_rows = 0;
  for (int round = 0; round < 8; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      FeatureCache cache = workplace.open();
      for (int i = 0;; ++i) cache.publish(made_up_segment({round * 100000 + i}));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(3 + 7 * round));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    FeatureCache cache = workplace.open();
    most_rows = std::max(most_rows, cache.rows());
    for (int i = 0; cache.contains(made_up_key(round * 100000 + i)); ++i) {
      ASSERT_EQ(cache.read(keys_of({round * 100000 + i})), rows_of({round * 100000 + i}));
    }
  }
  EXPECT_GT(most_rows, 0U);
  EXPECT_THAT(workplace.warnings, IsEmpty());
}

TEST(FeatureCache, WithoutAPlaceForItsFolderItCostsOnlyTheCaching) {
  Workplace workplace;
  std::ofstream(workplace.root()) << "a file where the folder should be";
  FeatureCache cache = workplace.open();
  workplace.warnings.clear();
  EXPECT_FALSE(cache.publish(made_up_segment({1, 2})));
  EXPECT_FALSE(cache.publish(made_up_segment({3})));
  ASSERT_THAT(workplace.warnings, SizeIs(1));  // once
  EXPECT_THAT(workplace.warnings[0],
              AllOf(HasSubstr("features are not cached"), HasSubstr(cache.folder().string())));
  EXPECT_TRUE(cache.contains(made_up_key(3)));
  EXPECT_EQ(cache.read(keys_of({3, 1, 2, 1})), rows_of({3, 1, 2, 1}));
  EXPECT_EQ(workplace.open().rows(), 0U);
}

TEST(FeatureCache, AFullDiskCostsOnlyTheCachingAndLeavesNothingBehind) {
  Workplace workplace;
  const int status = in_child([&] {
    FeatureCache cache = workplace.open();
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{2000,
                       2000};  // enough for extractor.json; the segment's write comes up short, then fails
    setrlimit(RLIMIT_FSIZE, &limit);
    return !cache.publish(made_up_segment({1, 2, 3})) && workplace.warnings.size() == 1 &&
           cache.read(keys_of({2})) == rows_of({2});
  });
  EXPECT_EQ(status, 0);
  EXPECT_THAT(workplace.names(), IsEmpty());
  EXPECT_TRUE(fs::exists(workplace.fingerprint_folder() / "extractor.json"));
  EXPECT_TRUE(workplace.open().publish(made_up_segment({1})));
}

TEST(FeatureCache, AFolderThatDescribesAnotherExtractorIsNotUsed) {
  Workplace workplace;
  workplace.open().publish(made_up_segment({1}));
  const fs::path extractor = workplace.fingerprint_folder() / "extractor.json";
  std::ofstream(extractor, std::ios::app) << " ";
  FeatureCache cache = workplace.open();
  EXPECT_EQ(cache.rows(), 0U);
  ASSERT_THAT(workplace.warnings, SizeIs(1));
  EXPECT_THAT(workplace.warnings[0],
              AllOf(HasSubstr("the cache is not used"), HasSubstr(extractor.string())));
  EXPECT_FALSE(cache.publish(made_up_segment({2})));
  EXPECT_EQ(cache.read(keys_of({2})), rows_of({2}));
  EXPECT_THAT(workplace.names(), SizeIs(1));
}

TEST(FeatureCache, ConfigurationsAndTapsDoNotMeet) {
  Workplace workplace;
  workplace.open().publish(made_up_segment({1}));
  ExtractorConfiguration other = configuration();
  other.alpha = Alpha::kDrop;
  const auto ignore = [](const std::string&) {};
  EXPECT_EQ(FeatureCache(workplace.root(), other, Tap{"block5_pool"}, ignore).rows(), 0U);
  EXPECT_EQ(FeatureCache(workplace.root(), configuration(), Tap{"block4_pool"}, ignore).rows(), 0U);
  EXPECT_EQ(FeatureCache(workplace.root(), configuration(), Tap{"block5_pool"}, ignore).rows(), 1U);
}

TEST(ListCache, TellsWhatIsThereAndWhatIsBroken) {
  Workplace workplace;
  EXPECT_THAT(list_cache(workplace.root(), {}), IsEmpty());
  FeatureCache cache = workplace.open();
  cache.publish(made_up_segment({1, 2, 3}));
  Segment newest = made_up_segment({4});
  newest.origin.engine = "onednn";
  cache.publish(newest);
  fs::last_write_time(file_of(cache, newest), fs::file_time_type::clock::now() + std::chrono::hours(1));
  const fs::path broken = workplace.place(std::vector<std::byte>(10));
  flip_bit(broken, 3);
  fs::create_directories(workplace.fingerprint_folder() / "no_tap");
  std::vector<std::string> warnings;
  const auto listings =
      list_cache(workplace.root(), [&](const std::string& line) { warnings.push_back(line); });
  ASSERT_THAT(listings, SizeIs(1));
  EXPECT_EQ(listings[0].folder.fingerprint, configuration().fingerprint());
  EXPECT_EQ(listings[0].folder.tap, Tap{"block5_pool"});
  EXPECT_EQ(listings[0].segments, 2U);
  EXPECT_EQ(listings[0].rows, 4U);
  EXPECT_EQ(listings[0].bytes,
            encode_segment(made_up_segment({1, 2, 3})).size() + encode_segment(newest).size());
  EXPECT_EQ(listings[0].engine, "onednn");
  EXPECT_EQ(listings[0].storage, "float32");
  ASSERT_THAT(warnings, SizeIs(1));
  EXPECT_THAT(warnings[0], HasSubstr(broken.string()));
  EXPECT_TRUE(fs::exists(broken));  // a listing changes nothing
}

}  // namespace
}  // namespace headstart

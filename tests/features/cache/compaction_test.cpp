// tests/features/cache/compaction_test.cpp: compaction of real files: rivals stopped and killed at every
// point, indexes that lie, disks that are full or read-only. None of them may cost a row.
#include "features/cache/compaction.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <numeric>
#include <set>

#include "features/cache/cache.hpp"
#include "features/cache/cache_folder.hpp"
#include "features/cache/segment_files.hpp"
#include "features/cache/segment_index.hpp"
#include "tests/features/cache/cache_workplace.hpp"
#include "tests/features/cache/made_up_segment.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using test::flip_bit;
using test::have_index_lie;
using test::in_child;
using test::keys_of;
using test::made_up_key;
using test::made_up_segment;
using test::rows_of;
using test::start_child;
using test::stored_as_float16;
using test::Workplace;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

TEST(FeatureCacheCompaction, ManySmallSegmentsBecomeOneWithTheSameRows) {
  Workplace workplace;
  std::vector<int> images;
  for (int image = 0; image < 40; ++image) {
    images.push_back(image);
    workplace.place(encode_segment(made_up_segment({image})));
  }
  FeatureCache cache = workplace.open();
  EXPECT_EQ(cache.small_segments(), 40U);
  const FeatureCache::Compaction done = cache.compact();
  EXPECT_EQ(done.merged, 40U);
  EXPECT_EQ(done.into, 1U);
  EXPECT_LT(done.bytes_after, done.bytes_before);
  EXPECT_EQ(cache.small_segments(), 1U);
  EXPECT_EQ(cache.read(keys_of(images)), rows_of(images));
  EXPECT_THAT(workplace.names(), ElementsAre(SegmentFolder::kLockFile, "index", StartsWith("segment-")));
  EXPECT_EQ(workplace.open().read(keys_of(images)), rows_of(images));
  EXPECT_EQ(cache.compact().merged, 0U) << "there is nothing left to do";
  EXPECT_THAT(workplace.warnings, IsEmpty());
}

TEST(FeatureCacheCompaction, KeepsTheRowThatCountsAndDropsTheOther) {
  Segment first = made_up_segment({1, 2});
  Segment second = made_up_segment({2, 3});
  second.rows.values[0] += 0.5F;  // of image 2
  Workplace workplace;
  workplace.place(encode_segment(first));
  workplace.place(encode_segment(second));
  const SparseRows before = workplace.open().read(keys_of({1, 2, 3}));
  FeatureCache cache = workplace.open();
  cache.compact();
  EXPECT_EQ(cache.read(keys_of({1, 2, 3})), before);
  EXPECT_EQ(workplace.open().read(keys_of({1, 2, 3})), before);
  EXPECT_EQ(SegmentIndex::read(workplace.folder()).rows().size(), 3U);
}

TEST(FeatureCacheCompaction, EnginesStayApartAndHostsDoNot) {
  Workplace workplace;
  Segment other_engine = made_up_segment({3});
  other_engine.origin.engine = "another";
  workplace.place(encode_segment(made_up_segment({1}, {1, 1, 512}, 0.1, "a")));
  workplace.place(encode_segment(made_up_segment({2}, {1, 1, 512}, 0.1, "b")));
  workplace.place(encode_segment(other_engine));
  workplace.place(encode_segment([&] {
    Segment more = made_up_segment({4});
    more.origin.engine = "another";
    return more;
  }()));
  EXPECT_EQ(workplace.open().compact().into, 2U);
  std::vector<std::pair<std::string, std::string>> origins;
  std::error_code error;
  for (const fs::path& file : list_segments(workplace.folder(), error)) {
    const auto read = read_segment_file(file);
    const SegmentHeader header = decode_segment_header(std::get<SegmentFile>(read).bytes);
    origins.emplace_back(header.origin.engine, header.origin.host);
  }
  EXPECT_THAT(origins,
              ::testing::UnorderedElementsAre(std::pair("engine", "several"), std::pair("another", "host")));
}

TEST(FeatureCacheCompaction, KeepsTheStorageAndTheBits) {
  Workplace workplace;
  ExtractorConfiguration float16 = test::workplace_configuration();
  float16.storage = FeatureType::kFloat16;
  FeatureCache cache = workplace.open(workplace.root(), float16);
  const std::vector<int> images{1, 2, 3, 4};
  for (const int image : images) cache.publish(stored_as_float16(made_up_segment({image})));
  EXPECT_EQ(cache.compact().into, 1U);
  const SparseRows expected = stored_as_float16(made_up_segment(images)).rows;
  EXPECT_NE(expected, rows_of(images));
  EXPECT_EQ(cache.read(keys_of(images)), expected);
  std::error_code error;
  const auto merged = read_segment_file(list_segments(cache.folder(), error).at(0));
  EXPECT_EQ(decode_segment_header(std::get<SegmentFile>(merged).bytes).storage, FeatureType::kFloat16);
  EXPECT_THAT(verify_cache(workplace.root(), [](auto, auto) {}).faults, IsEmpty());
  EXPECT_EQ(list_cache(workplace.root(), {}).at(0).storage, "float16");
}

TEST(FeatureCacheCompaction, ADamagedSegmentIsSetAsideAndTheOthersMerged) {
  Workplace workplace;
  for (const int image : {1, 2, 3}) workplace.place(encode_segment(made_up_segment({image})));
  workplace.open().save_index();
  const fs::path damaged =
      workplace.folder() / segment_file_name(sha256(encode_segment(made_up_segment({2}))));
  FeatureCache cache = workplace.open();
  flip_bit(damaged, 8000);
  EXPECT_EQ(cache.compact().merged, 2U);
  EXPECT_TRUE(fs::exists(damaged.string() + ".bad"));
  EXPECT_EQ(cache.read(keys_of({3, 1})), rows_of({3, 1}));
  EXPECT_FALSE(cache.contains(made_up_key(2)));
}

TEST(FeatureCacheCompaction, AFullDiskLeavesEverythingAsItWas) {
  Workplace workplace;
  for (int image = 0; image < 30; ++image)
    workplace.place(encode_segment(made_up_segment({image}, {1, 1, 512}, 0.9)));
  const std::vector<std::string> before = workplace.names();
  const int status = in_child([&] {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{20'000, 20'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    FeatureCache cache = workplace.open();
    return cache.compact().merged == 0 && workplace.warnings.size() == 1 && cache.rows() == 30;
  });
  EXPECT_EQ(status, 0);
  std::vector<std::string> after = workplace.names();
  std::erase(after, SegmentFolder::kLockFile);
  std::erase(after, SegmentIndex::kFile);
  EXPECT_EQ(after, before);
}

/// Several merged segments come of it: seven of 60 rows, and a row that is there twice.
class Rivals : public ::testing::Test {
 protected:
  static constexpr int kSegments = 7;
  static constexpr int kRows = 60;

  Rivals() : images_(kSegments * kRows) { std::iota(images_.begin(), images_.end(), 0); }

  void fill(const Workplace& workplace, bool sharing = true) const {
    for (int first = 0; first < kSegments * kRows; first += kRows) {
      std::vector<int> images(images_.begin() + first, images_.begin() + first + kRows);
      if (sharing && first > 0) images.push_back(5);
      workplace.place(encode_segment(made_up_segment(images)));
    }
  }
  /// Small ones, so that seven segments become three.
  static CompactionSettings settings(bool lock) {
    CompactionSettings result;
    result.merged_bytes = 80'000;
    result.lock = lock;
    return result;
  }
  /// The same, doing `work` when point number `stop` is reached; `passed` counts them.
  template <typename Work>
  static CompactionSettings stopping(bool lock, int stop, int& passed, Work work) {
    CompactionSettings result = settings(lock);
    result.reached = [stop, &passed, work](CompactionPoint) {
      if (passed++ == stop) work();
    };
    return result;
  }
  void expect_whole(FeatureCache& cache) const { EXPECT_EQ(cache.read(keys_of(images_)), rows_of(images_)); }
  /// Nothing is lost, in a cache that was opened before and in a new one; what is left undone is done next
  /// time.
  void expect_whole(Workplace& workplace, FeatureCache& reader) const {
    expect_whole(reader);
    FeatureCache fresh = workplace.open();
    expect_whole(fresh);
    EXPECT_THAT(workplace.warnings, IsEmpty());
    fresh.compact(settings(true));
    EXPECT_EQ(workplace.open().compact(settings(true)).merged, 0U) << "it settles";
    const CacheVerification verified = verify_cache(workplace.root(), [](auto, auto) {});
    EXPECT_THAT(verified.faults, IsEmpty());
    EXPECT_EQ(verified.rows, images_.size()) << "each once";
    expect_whole(reader);
    expect_whole(fresh);
  }

  std::vector<int> images_;
};

struct Killed {};  // thrown at a point: from there on, the compaction does nothing more

TEST_F(Rivals, TheTestStopsThemEverywhere) {
  Workplace workplace;
  fill(workplace);
  std::vector<CompactionPoint> points;
  CompactionSettings watched = settings(true);
  watched.reached = [&](CompactionPoint point) { points.push_back(point); };
  const FeatureCache::Compaction done = workplace.open().compact(watched);
  EXPECT_EQ(done.merged, 7U);
  EXPECT_EQ(done.into, 3U);
  using enum CompactionPoint;
  EXPECT_THAT(points, ElementsAre(kBeforePublish, kBeforePublish, kBeforePublish, kBeforeVerify,
                                  kBeforeUnlink, kBetweenUnlinks, kBetweenUnlinks, kBetweenUnlinks,
                                  kBetweenUnlinks, kBetweenUnlinks, kBetweenUnlinks));
}

TEST_F(Rivals, OneThatComesAtAnyPointLosesNothing) {
  for (const bool lock : {true, false}) {
    int passed = 1;
    for (int stop = 0; stop < passed; ++stop) {
      Workplace workplace;
      fill(workplace);
      FeatureCache reader = workplace.open();
      FeatureCache first = workplace.open();
      passed = 0;
      first.compact(stopping(lock, stop, passed, [&] {
        EXPECT_EQ(workplace.open().compact(settings(lock)).elsewhere, lock);
        expect_whole(reader);
      }));
      SCOPED_TRACE(testing::Message() << "point " << stop << (lock ? ", with" : ", without") << " a lock");
      expect_whole(first);
      expect_whole(workplace, reader);
    }
  }
}

TEST_F(Rivals, OneThatComesAtAnyPointAndIsKilledAtAnyPointLosesNothing) {
  int passed = 1;
  for (int stop = 0; stop < passed; ++stop) {
    int rival_passed = 1;
    for (int kill_at = 0; kill_at < rival_passed; ++kill_at) {
      Workplace workplace;
      fill(workplace);
      FeatureCache reader = workplace.open();
      FeatureCache first = workplace.open();
      passed = rival_passed = 0;
      first.compact(stopping(false, stop, passed, [&] {
        try {
          workplace.open().compact(stopping(false, kill_at, rival_passed, [] { throw Killed{}; }));
        } catch (const Killed&) {
        }
      }));
      SCOPED_TRACE(testing::Message() << "point " << stop << ", the rival killed at " << kill_at);
      expect_whole(workplace, reader);
    }
  }
}

/// Waits until the child stops or ends. @return whether it stopped
bool stops(pid_t child) {
  int status = -1;
  waitpid(child, &status, WUNTRACED);
  EXPECT_TRUE(WIFSTOPPED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) << status;
  return WIFSTOPPED(status);
}

TEST_F(Rivals, AProcessThatIsStoppedAtAnyPointAndGoesOnLosesNothing) {
  for (const bool lock : {true, false}) {
    for (int stop = 0;; ++stop) {
      Workplace workplace;
      fill(workplace);
      FeatureCache reader = workplace.open();
      const pid_t first = start_child([&] {
        int passed = 0;
        workplace.open().compact(stopping(lock, stop, passed, [] { raise(SIGSTOP); }));
        return workplace.warnings.empty();
      });
      const bool stopped = stops(first);
      SCOPED_TRACE(testing::Message() << "point " << stop << (lock ? ", with" : ", without") << " a lock");
      if (stopped) {
        EXPECT_EQ(in_child([&] {
                    const bool elsewhere = workplace.open().compact(settings(lock)).elsewhere;
                    return elsewhere == lock && workplace.warnings.empty();
                  }),
                  0);
        expect_whole(reader);
        kill(first, SIGCONT);
        EXPECT_FALSE(stops(first));
      }
      expect_whole(workplace, reader);
      if (!stopped) break;
    }
  }
}

TEST_F(Rivals, AProcessThatIsKilledAtAnyPointLosesNothingAndItsLock) {
  for (int kill_at = 0;; ++kill_at) {
    Workplace workplace;
    fill(workplace);
    FeatureCache reader = workplace.open();
    const int status = in_child([&] {
      int passed = 0;
      workplace.open().compact(stopping(true, kill_at, passed, [] { raise(SIGKILL); }));
      return true;
    });
    SCOPED_TRACE(testing::Message() << "killed at point " << kill_at);
    EXPECT_FALSE(workplace.open().compact(settings(true)).elsewhere);
    expect_whole(workplace, reader);
    if (!WIFSIGNALED(status)) break;
  }
}

TEST_F(Rivals, WhereAMergedSegmentStandsDamagedNothingIsLost) {
  Workplace workplace;
  fill(workplace);
  std::vector<std::vector<std::byte>> merged;  // what a compaction makes of them
  {
    Workplace elsewhere;
    fill(elsewhere);
    ASSERT_EQ(elsewhere.open().compact(settings(true)).into, 3U);
    std::error_code error;
    for (const fs::path& file : list_segments(elsewhere.folder(), error))
      merged.push_back(std::get<SegmentFile>(read_segment_file(file)).bytes);
  }
  FeatureCache cache = workplace.open();
  for (const std::vector<std::byte>& bytes : merged) flip_bit(workplace.place(bytes), 40'000);
  EXPECT_EQ(cache.compact(settings(true)).into, 3U) << "stored again, whole";
  EXPECT_EQ(workplace.open().read(keys_of(images_)), rows_of(images_));
  EXPECT_THAT(verify_cache(workplace.root(), [](auto, auto) {}).faults, IsEmpty());
}

TEST_F(Rivals, WhatIsDamagedAfterItWasPublishedReplacesNothing) {
  Workplace workplace;
  fill(workplace);
  FeatureCache cache = workplace.open();
  CompactionSettings rotting = settings(true);
  std::error_code error;
  const std::vector<fs::path> before = list_segments(workplace.folder(), error);
  rotting.reached = [&](CompactionPoint point) {
    if (point != CompactionPoint::kBeforeVerify) return;
    for (const fs::path& file : list_segments(workplace.folder(), error)) {
      if (std::find(before.begin(), before.end(), file) == before.end()) flip_bit(file, 40'000);
    }
  };
  EXPECT_EQ(cache.compact(rotting).merged, 0U);
  EXPECT_EQ(workplace.open().read(keys_of(images_)), rows_of(images_));
  EXPECT_THAT(workplace.warnings, ::testing::Contains(HasSubstr("the cache is not compacted")));
}

TEST_F(Rivals, ADiskThatIsFullAfterSomeMergedSegmentsLosesNothing) {
  for (const bool sharing : {false, true}) {
    for (int room = 0; room <= 3; ++room) {  // for so many merged segments
      Workplace workplace;
      fill(workplace, sharing);
      FeatureCache reader = workplace.open();
      const int status = in_child([&] {
        signal(SIGXFSZ, SIG_IGN);
        int published = 0;
        CompactionSettings filling = settings(true);
        filling.reached = [&](CompactionPoint point) {
          if (point != CompactionPoint::kBeforePublish || published++ < room) return;
          const rlimit limit{20'000, 20'000};
          setrlimit(RLIMIT_FSIZE, &limit);
        };
        FeatureCache cache = workplace.open();
        const FeatureCache::Compaction done = cache.compact(filling);
        // 200 rows go into the first, so 3 segments of 60 are replaced, unless their key may yet count
        // elsewhere.
        const std::size_t replaced = room == 3 ? 7U : sharing ? 0U : room == 2 ? 6U : room == 1 ? 3U : 0U;
        return done.into == static_cast<std::size_t>(room) && done.merged == replaced &&
               workplace.warnings.size() == (room < 3 ? 1U : 0U) &&
               cache.read(keys_of(images_)) == rows_of(images_);
      });
      SCOPED_TRACE(testing::Message() << "room for " << room << (sharing ? ", sharing" : ""));
      EXPECT_EQ(status, 0);
      expect_whole(workplace, reader);
    }
  }
}

TEST(FeatureCacheCompaction, AnIndexThatLiesIsFoundAndNothingIsLost) {
  const std::vector<int> images{1, 2, 3, 4, 5, 6};
  Workplace workplace;
  workplace.place(encode_segment(made_up_segment({1, 2, 3})));
  workplace.place(encode_segment(made_up_segment({4, 5, 6})));
  workplace.open().save_index();
  have_index_lie(workplace.folder());
  FeatureCache cache = workplace.open();
  EXPECT_EQ(cache.compact().merged, 2U);
  EXPECT_THAT(workplace.warnings, ElementsAre(HasSubstr("index was wrong")));
  EXPECT_EQ(cache.read(keys_of(images)), rows_of(images));
  EXPECT_EQ(workplace.open().read(keys_of(images)), rows_of(images));
  EXPECT_THAT(workplace.warnings, SizeIs(1)) << "it was made anew";
}

TEST(FeatureCacheCompaction, AnyLieOfAnIndexLosesNothing) {
  EXPECT_TRUE(rc::check([] {
    Workplace workplace;
    workplace.place(encode_segment(made_up_segment({1, 2})));
    workplace.place(encode_segment(made_up_segment({3, 4, 5})));
    workplace.place(encode_segment(made_up_segment({5, 6})));
    workplace.open().save_index();
    const SegmentIndex index = SegmentIndex::read(workplace.folder());
    std::vector<IndexedRow> rows(index.rows().begin(), index.rows().end());
    for (int lies = *rc::gen::inRange(1, 4); lies > 0 && !rows.empty(); --lies) {
      const auto at = *rc::gen::inRange<std::size_t>(0, rows.size());
      switch (*rc::gen::inRange(0, 5)) {
        case 0:
          rows[at].row = *rc::gen::inRange(0, 5);
          break;
        case 1:
          rows[at].segment = *rc::gen::inRange(0, 3);
          break;
        case 2:
          rows[at].nonzeros = *rc::gen::inRange(0, 600);
          break;
        case 3:
          rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(at));
          break;
        default:
          std::swap(rows[at].key, rows[*rc::gen::inRange<std::size_t>(0, rows.size())].key);
      }
    }
    RC_ASSERT(SegmentIndex::write(workplace.folder(), {index.segments().begin(), index.segments().end()},
                                  rows) == std::nullopt);
    workplace.open().compact();
    RC_ASSERT(workplace.open().read(keys_of({6, 5, 4, 3, 2, 1})) == rows_of({6, 5, 4, 3, 2, 1}));
  }));
}

TEST(FeatureCacheCompaction, ARowWhoseWinnerIsOnlyInMemoryIsKept) {
  Workplace workplace;
  workplace.place(encode_segment(made_up_segment({2, 3})));
  workplace.place(encode_segment(made_up_segment({4})));
  const Sha256 on_disk = sha256(encode_segment(made_up_segment({2, 3})));
  Segment winner = made_up_segment({1, 2});
  while (!(sha256(encode_segment(winner)) < on_disk)) winner.origin.host += "+";
  const int status = in_child([&] {
    signal(SIGXFSZ, SIG_IGN);
    FeatureCache cache = workplace.open();
    rlimit limit{};
    getrlimit(RLIMIT_FSIZE, &limit);
    const rlimit full{2000, limit.rlim_max};
    setrlimit(RLIMIT_FSIZE, &full);
    const bool published = cache.publish(winner);
    setrlimit(RLIMIT_FSIZE, &limit);
    const bool merged = cache.compact().merged == 2;
    return !published && merged && cache.read(keys_of({1, 2, 3, 4})) == rows_of({1, 2, 3, 4});
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(workplace.open().read(keys_of({2, 3, 4})), rows_of({2, 3, 4}));
}

TEST(FeatureCacheCompaction, InAReadOnlyFolderItWarnsOnceAndEnds) {
  for (const bool lying : {false, true}) {
    Workplace workplace;
    const std::vector<int> images{1, 2, 3, 4, 5, 6};
    workplace.place(encode_segment(made_up_segment({1, 2, 3})));
    workplace.place(encode_segment(made_up_segment({4, 5, 6})));
    workplace.open().save_index();
    if (lying) have_index_lie(workplace.folder());
    const std::vector<std::string> before = workplace.names();
    const int status = workplace.in_child_without_writing([&] {
      FeatureCache cache = workplace.open();
      const bool nothing = cache.compact().merged == 0;
      return nothing && workplace.warnings.size() == 1 && cache.read(keys_of(images)) == rows_of(images);
    });
    EXPECT_EQ(status, 0);
    EXPECT_EQ(workplace.names(), before);
  }
}

}  // namespace
}  // namespace headstart

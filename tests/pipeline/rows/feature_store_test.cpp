// tests/pipeline/rows/feature_store_test.cpp: rows that are lost, without a network: the test computes them
// again.
#include "pipeline/rows/feature_store.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <span>
#include <utility>
#include <vector>

#include "features/cache/segment_index.hpp"
#include "tests/features/cache/made_up_segment.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using test::made_up_key;
using test::made_up_segment;

/// A store with images 1, 2 and 3 in one segment.
class FeatureStoreTest : public testing::Test {
 protected:
  FeatureStoreTest() { cache().publish(made_up_segment({1, 2, 3})); }

  [[nodiscard]] FeatureCache& cache() const { return *store_.caches().front(); }
  [[nodiscard]] StageOneOptions options() const {
    StageOneOptions options;
    options.cache = scratch_ / "cache";
    return options;
  }
  static ExtractorConfiguration configuration() {
    ExtractorConfiguration configuration;
    configuration.resize.size = 32;
    return configuration;
  }
  [[nodiscard]] fs::path segment() const {
    return cache().folder() / segment_file_name(sha256(encode_segment(made_up_segment({1, 2, 3}))));
  }

  test::ScratchFolder scratch_;
  Console console_{Verbosity::kSilent};
  FeatureStore store_{configuration(), {Tap{"block5_pool"}}, options(), console_};
  const std::vector<Sha256> keys_{made_up_key(3), made_up_key(1)};
  const SparseRows rows_ = made_up_segment({3, 1}).rows;
  int computed_ = 0;
};

TEST_F(FeatureStoreTest, RowsThatAreThereAreReadAndNotComputed) {
  EXPECT_EQ(store_.read(keys_, [this] { ++computed_; }), rows_);
  EXPECT_EQ(computed_, 0);
  EXPECT_EQ(store_.layout(keys_).nonzeros, rows_.indptr.back());
}

TEST_F(FeatureStoreTest, RowsThatAreLostAreComputedAgain) {
  fs::remove(segment());
  const auto compute = [this] {
    ++computed_;
    cache().publish(made_up_segment({1, 2, 3}));
  };
  EXPECT_EQ(store_.read(keys_, compute), rows_);
  EXPECT_EQ(computed_, 1);
}

TEST_F(FeatureStoreTest, RowsThatComputingDoesNotBringBackAreAnError) {
  fs::remove(segment());
  const auto compute = [this] {
    ++computed_;
    cache().publish(made_up_segment({1}));
  };
  EXPECT_THROW(static_cast<void>(store_.read(keys_, compute)), RowsLost);
  EXPECT_EQ(computed_, 1);
}

// Nothing tells the index's rows from others when a run looks them up, so that the image was not computed.
TEST_F(FeatureStoreTest, ARowThatAnIndexMadeUpIsComputed) {
  store_.save_accelerators(FeatureStore::Compact::kNo);
  const SegmentIndex index = SegmentIndex::read(cache().folder());
  std::vector<IndexedRow> rows(index.rows().begin(), index.rows().end());
  rows.push_back({made_up_key(4), 0, 3, 50});
  ASSERT_EQ(SegmentIndex::write(cache().folder(), {index.segments().begin(), index.segments().end()}, rows),
            std::nullopt);
  store_.open_again();
  ASSERT_TRUE(cache().contains(made_up_key(4)));
  const auto compute = [this] {
    ++computed_;
    cache().publish(made_up_segment({4}));
  };
  EXPECT_EQ(store_.read(std::vector{made_up_key(4)}, compute), made_up_segment({4}).rows);
  EXPECT_EQ(computed_, 1);
}

}  // namespace
}  // namespace headstart

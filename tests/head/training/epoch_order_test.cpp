// tests/head/training/epoch_order_test.cpp
#include "head/training/epoch_order.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {
namespace {

// A third of the rows is no training row; chunks are of irregular length.
struct Stored {
  explicit Stored(std::size_t count, int chunk_rows) {
    for (std::size_t row = 0; row < count; ++row) {
      chunks.push_back(static_cast<std::int32_t>(row / static_cast<std::size_t>(chunk_rows)) * 7 + 3);
      if (row % 3 != 0) training.push_back(static_cast<RowIndex>(count - 1 - row));
    }
  }
  std::vector<std::int32_t> chunks;
  std::vector<RowIndex> training;
};

std::vector<RowIndex> rows_of(const EpochOrder& order) {
  std::vector<RowIndex> rows;
  for (std::size_t step = 0; step < order.steps(); ++step) {
    const auto batch = order.batch(step);
    rows.insert(rows.end(), batch.begin(), batch.end());
  }
  return rows;
}

RC_GTEST_PROP(EpochOrder, TakesEveryRowOnceInWindowsOfWholeBatches, ()) {
  const Stored stored(*rc::gen::inRange<std::size_t>(2, 200), *rc::gen::inRange(1, 40));
  OrderOptions options;
  options.batch = *rc::gen::inRange<std::size_t>(1, 40);
  options.window = *rc::gen::inRange<std::size_t>(0, 250);
  options.shuffle = *rc::gen::arbitrary<bool>();
  options.seed = *rc::gen::arbitrary<std::uint64_t>();
  options.chunks = stored.chunks;
  const EpochOrder order(stored.training, options, *rc::gen::inRange<std::uint64_t>(0, 5));

  std::vector<RowIndex> rows = rows_of(order);
  std::vector<RowIndex> in_windows;
  for (std::size_t w = 0; w < order.windows(); ++w) {
    const auto window = order.window(w);
    if (w + 1 < order.windows()) RC_ASSERT(window.size() % options.batch == 0U);
    if (options.window >= options.batch) RC_ASSERT(window.size() <= options.window);
    RC_ASSERT(order.first_step(w) * options.batch == in_windows.size());
    RC_ASSERT(order.window_of(order.first_step(w)) == w);
    RC_ASSERT(order.first_in_window(order.first_step(w)) == 0U);
    // A plan is whole batches, and ends with the window.
    const auto planned = order.batches(order.first_step(w), 3 * options.batch);
    RC_ASSERT(planned.size() == std::min(window.size(), 3 * options.batch));
    RC_ASSERT(std::equal(planned.begin(), planned.end(), window.begin()));
    in_windows.insert(in_windows.end(), window.begin(), window.end());
  }
  RC_ASSERT(in_windows == rows);
  std::vector<RowIndex> expected = stored.training;
  if (options.shuffle) {
    std::sort(rows.begin(), rows.end());
    std::sort(expected.begin(), expected.end());
  }
  RC_ASSERT(rows == expected);
}

RC_GTEST_PROP(EpochOrder, AWindowForAllRowsIsNoWindow, ()) {
  const Stored stored(*rc::gen::inRange<std::size_t>(2, 200), *rc::gen::inRange(1, 40));
  OrderOptions options;
  options.batch = *rc::gen::inRange<std::size_t>(1, 40);
  options.seed = *rc::gen::arbitrary<std::uint64_t>();
  const auto epoch = *rc::gen::inRange<std::uint64_t>(0, 5);
  const EpochOrder without(stored.training, options, epoch);
  options.window = stored.training.size();
  options.chunks = stored.chunks;
  RC_ASSERT(rows_of(EpochOrder(stored.training, options, epoch)) == rows_of(without));
}

// A window reads few chunks: those it holds wholly, and two that it shares with its neighbours.
TEST(EpochOrder, KeepsChunksTogether) {
  const Stored stored(1000, 50);
  OrderOptions options;
  options.batch = 10;
  options.window = 200;
  options.chunks = stored.chunks;
  const EpochOrder order(stored.training, options, 0);
  ASSERT_EQ(order.windows(), 4U);
  for (std::size_t w = 0; w < order.windows(); ++w) {
    std::set<std::int32_t> chunks;
    for (const RowIndex row : order.window(w)) chunks.insert(stored.chunks[static_cast<std::size_t>(row)]);
    EXPECT_LE(chunks.size(), 8U) << "a chunk has 33 or 34 training rows";
  }
}

TEST(EpochOrder, ShufflesChunksAndRowsAnewEveryEpoch) {
  const Stored stored(1000, 50);
  OrderOptions options;
  options.batch = 10;
  options.window = 200;
  options.chunks = stored.chunks;
  const EpochOrder first(stored.training, options, 0);
  const EpochOrder second(stored.training, options, 1);
  const auto sorted = [](std::span<const RowIndex> rows) {
    return std::set<RowIndex>(rows.begin(), rows.end());
  };
  EXPECT_NE(sorted(first.window(0)), sorted(second.window(0)));
  EXPECT_NE(rows_of(first), rows_of(second));
  std::vector<RowIndex> window(first.window(0).begin(), first.window(0).end());
  EXPECT_FALSE(std::is_sorted(window.begin(), window.end()));
  EXPECT_FALSE(std::is_sorted(window.rbegin(), window.rend()));
  EXPECT_EQ(rows_of(first), rows_of(EpochOrder(stored.training, options, 0)));
}

}  // namespace
}  // namespace headstart::test

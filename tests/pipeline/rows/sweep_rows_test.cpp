// tests/pipeline/rows/sweep_rows_test.cpp: rows in every pooling, read once and in parts.
#include "pipeline/rows/sweep_rows.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "head/representation/dense_representation.hpp"
#include "pipeline/rows/represented_rows.hpp"

namespace headstart {
namespace {

constexpr MapShape kShape{2, 1, 3};

// Row r has r + 1 in its first place and 2 in its last.
SparseRows maps_of(std::span<const RowIndex> rows) {
  SparseRows maps;
  maps.columns = static_cast<std::int64_t>(kShape.size());
  for (const RowIndex row : rows) {
    maps.indices.insert(maps.indices.end(), {0, 5});
    maps.values.insert(maps.values.end(), {static_cast<float>(row) + 1.0F, 2.0F});
    maps.indptr.push_back(static_cast<std::int64_t>(maps.indices.size()));
  }
  return maps;
}

StoredRows stored(std::size_t count, std::vector<std::size_t>& parts) {
  return {.count = count,
          .shape = kShape,
          .layout = {.nonzeros = std::int64_t{1} << 28, .segments = {}},  // so that parts are small
          .place = "nowhere",
          .read = [&parts](std::span<const RowIndex> rows) {
            parts.push_back(rows.size());
            return maps_of(rows);
          }};
}

TEST(SweepRows, AreReadOnceForAllPoolings) {
  std::vector<std::size_t> parts;
  const std::vector<Pooling> poolings{Pooling::kFlatten, Pooling::kAverage, Pooling::kMaximum,
                                      Pooling::kMaximum};
  const SweepRows rows = read_sweep_rows(stored(40, parts), poolings, 0, {}, {});
  EXPECT_GT(parts.size(), 2U);
  std::size_t read = 0;
  for (const std::size_t part : parts) read += part;
  EXPECT_EQ(read, 40U);
  EXPECT_EQ(rows.flattened, maps_of(all_rows(40)));
  ASSERT_EQ(rows.pooled.size(), 2U);
  for (const RowIndex row : {0, 7, 39}) {
    const float first = static_cast<float>(row) + 1.0F;
    const auto expect = [&](Pooling pooling, std::vector<float> expected) {
      const std::span<const float> found = rows.pooled.at(pooling).view().row(row);
      EXPECT_EQ(std::vector<float>(found.begin(), found.end()), expected) << row;
    };
    expect(Pooling::kAverage, {first / 2.0F, 0.0F, 1.0F});
    expect(Pooling::kMaximum, {first, 0.0F, 2.0F});
  }
}

TEST(SweepRows, OnlyWhatIsAskedForIsKept) {
  std::vector<std::size_t> parts;
  const std::vector<Pooling> poolings{Pooling::kAverage};
  const SweepRows rows = read_sweep_rows(stored(5, parts), poolings, 0, {}, {});
  EXPECT_EQ(rows.flattened.rows(), 0U);
  EXPECT_EQ(rows.pooled.size(), 1U);
  EXPECT_EQ(sweep_rows_bytes(5, 10, 3, poolings), 4 * 5 * 3);
}

TEST(SweepRows, FlattenedRowsThatDoNotFitStayWhereTheyAre) {
  std::vector<std::size_t> parts;
  const std::vector<Pooling> poolings{Pooling::kFlatten, Pooling::kMaximum};
  const StoredRows rows_in_store = stored(40, parts);
  const SweepRows rows = read_sweep_rows(rows_in_store, poolings, 7, {}, {});
  EXPECT_EQ(rows.flattened.rows(), 0U);
  EXPECT_EQ(rows.pooled.size(), 1U);
  ASSERT_TRUE(rows.source.has_value());
  EXPECT_EQ(rows.source->window, 7U);
  const std::vector<RowIndex> some{3, 1};
  EXPECT_EQ(rows.source->read(some), maps_of(some));
}

TEST(SweepRows, EndBetweenPartsWhenAsked) {
  std::vector<std::size_t> parts;
  const std::vector<Pooling> poolings{Pooling::kFlatten};
  const Cancellation after_one([&] { return !parts.empty(); });
  EXPECT_THROW(static_cast<void>(read_sweep_rows(stored(40, parts), poolings, 0, {}, after_one)), Cancelled);
  EXPECT_EQ(parts.size(), 1U);
}

}  // namespace
}  // namespace headstart

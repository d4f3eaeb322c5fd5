// tests/head/layers/batch_by_feature_test.cpp
#include "head/layers/batch_by_feature.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {
namespace {

// The entries of every feature in batch order, from the dense matrix.
void expect_transpose(const BatchByFeature& batch, const Matrix& dense, const std::vector<RowIndex>& rows) {
  ASSERT_EQ(batch.offsets().size(), static_cast<std::size_t>(dense.cols()) + 1);
  std::size_t entry = 0;
  for (Eigen::Index feature = 0; feature < dense.cols(); ++feature) {
    ASSERT_EQ(batch.offsets()[static_cast<std::size_t>(feature)], static_cast<std::int64_t>(entry))
        << feature;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (dense(rows[i], feature) == 0.0F) continue;
      ASSERT_LT(entry, batch.entries().size());
      EXPECT_EQ(batch.entries()[entry].row, static_cast<std::int32_t>(i));
      EXPECT_EQ(batch.entries()[entry].value, dense(rows[i], feature));
      ++entry;
    }
  }
  EXPECT_EQ(batch.entries().size(), entry);
  EXPECT_EQ(batch.offsets().back(), static_cast<std::int64_t>(entry));
}

TEST(BatchByFeatureTest, ListsEveryEntryUnderItsFeatureInBatchOrder) {
  Random random(8);
  for (const std::int64_t columns : {1, 7, 64, 65, 300}) {
    Matrix dense = random_features(9, columns, 0.3, random);
    dense.row(4).setZero();
    const SparseMatrix matrix = sparse(dense);
    for (const std::int64_t tile_features : {1, 5, 64, 1000}) {
      const TiledRows tiled(matrix.view(), tile_features);
      for (const int threads : {1, 3}) {
        Workers workers(threads);
        BatchByFeature batch;
        for (const std::vector<RowIndex>& rows :
             {std::vector<RowIndex>{5, 0, 4, 5, 8}, std::vector<RowIndex>{}, std::vector<RowIndex>{2}}) {
          batch.assign(tiled, rows, workers);
          expect_transpose(batch, dense, rows);
        }
      }
    }
  }
}

}  // namespace
}  // namespace headstart::test

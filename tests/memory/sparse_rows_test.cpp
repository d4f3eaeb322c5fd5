// tests/memory/sparse_rows_test.cpp
#include "memory/sparse_rows.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace headstart {
namespace {

/// Rows of `columns` values, half of them zeros.
rc::Gen<std::vector<float>> sparse_row(std::size_t columns) {
  return rc::gen::container<std::vector<float>>(
      columns, rc::gen::oneOf(rc::gen::just(0.0F), rc::gen::map(rc::gen::inRange(-1000, 1000), [](int i) {
                                return static_cast<float>(i) / 8.0F;
                              })));
}

TEST(SparseRows, ExpandingGivesBackWhatWasAppended) {
  EXPECT_TRUE(rc::check([] {
    const auto columns = *rc::gen::inRange<std::size_t>(1, 70);
    const auto rows = *rc::gen::container<std::vector<std::vector<float>>>(sparse_row(columns));
    SparseRows sparse;
    sparse.columns = static_cast<std::int64_t>(columns);
    for (const auto& row : rows) sparse.append_dense(row);
    RC_ASSERT(sparse.rows() == rows.size());
    RC_ASSERT(sparse.indptr.front() == 0 &&
              sparse.indptr.back() == static_cast<std::int64_t>(sparse.values.size()));
    RC_ASSERT(sparse.indices.size() == sparse.values.size());
    RC_ASSERT(std::find(sparse.values.begin(), sparse.values.end(), 0.0F) == sparse.values.end());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto indices = sparse.row_indices(i);
      RC_ASSERT(std::adjacent_find(indices.begin(), indices.end(), std::greater_equal<>()) == indices.end());
      std::vector<float> out(columns, 99.0F);
      sparse.expand(i, out);
      RC_ASSERT(out == rows[i]);
    }
  }));
}

TEST(SparseRows, RowsAreCopiedFromOtherRows) {
  EXPECT_TRUE(rc::check([] {
    const auto rows = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::vector<float>>>(sparse_row(20)));
    const auto picks =
        *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, rows.size()));
    SparseRows all;
    SparseRows expected;
    SparseRows picked;
    all.columns = expected.columns = picked.columns = 20;
    for (const auto& row : rows) all.append_dense(row);
    for (const std::size_t pick : picks) {
      expected.append_dense(rows[pick]);
      picked.append_row(all, pick);
    }
    RC_ASSERT(picked == expected);
  }));
}

TEST(SparseRows, RowsAreAppendedAsCopiesAndByTheirMemory) {
  EXPECT_TRUE(rc::check([] {
    const auto first = *rc::gen::container<std::vector<std::vector<float>>>(sparse_row(20));
    const auto second = *rc::gen::container<std::vector<std::vector<float>>>(sparse_row(20));
    SparseRows expected{.columns = 20};
    SparseRows head{.columns = 20};
    SparseRows tail{.columns = 20};
    for (const auto& row : first) head.append_dense(row);
    for (const auto& row : second) tail.append_dense(row);
    for (const auto& rows : {first, second}) {
      for (const auto& row : rows) expected.append_dense(row);
    }
    SparseRows copied;
    copied.append(head.view());
    copied.append(tail.view());
    RC_ASSERT(copied == expected);
    SparseRows moved;
    moved.append(std::move(head));
    moved.append(std::move(tail));
    RC_ASSERT(moved == expected);
  }));
}

TEST(SparseRows, AViewWithoutMemoryHasNoRow) { EXPECT_EQ(SparseRowsView{}.rows(), 0U); }

TEST(SparseRows, BothZerosAreLeftOutAndTheSmallestNumberIsNot) {
  SparseRows rows;
  rows.columns = 4;
  rows.append_dense(std::vector<float>{-0.0F, 0.0F, std::numeric_limits<float>::denorm_min(), -1.0F});
  EXPECT_EQ(rows.indices, (std::vector<std::int32_t>{2, 3}));
}

TEST(SparseRows, NotANumberIsNotTakenForZero) {
  SparseRows rows;
  rows.columns = 2;
  rows.append_dense(std::vector<float>{std::nanf(""), 0.0F});
  ASSERT_EQ(rows.values.size(), 1U);
  EXPECT_TRUE(std::isnan(rows.values.front()));
}

TEST(SparseRows, ARowOfZerosIsARow) {
  SparseRows rows;
  rows.columns = 3;
  rows.append_dense(std::vector<float>(3));
  EXPECT_EQ(rows.rows(), 1U);
  EXPECT_TRUE(rows.row_indices(0).empty());
}

}  // namespace
}  // namespace headstart

// tests/head/training/read_ahead_test.cpp: rows come in the order asked for, whether they were read ahead or
// not. Under ThreadSanitizer too, so what the reading thread and the caller share is touched on both sides.
#include "head/training/read_ahead.hpp"

#include <gtest/gtest.h>

#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace headstart::test {
namespace {

/// Row r is the value r + 1 in column r. Remembers what was read, and on which threads.
class Counted {
 public:
  [[nodiscard]] const RowSource& source() const { return source_; }
  [[nodiscard]] std::vector<std::vector<RowIndex>> reads() const {
    const std::lock_guard lock(mutex_);
    return reads_;
  }
  [[nodiscard]] bool read_by_another() const {
    const std::lock_guard lock(mutex_);
    return another_;
  }

 private:
  SparseRows read(std::span<const RowIndex> rows) {
    {
      const std::lock_guard lock(mutex_);
      reads_.emplace_back(rows.begin(), rows.end());
      another_ = another_ || std::this_thread::get_id() != caller_;
    }
    SparseRows matrix;
    matrix.columns = 1000;
    for (const RowIndex row : rows) {
      if (row >= 900) throw std::runtime_error("row 900 is gone");
      matrix.indices.push_back(row);
      matrix.values.push_back(static_cast<float>(row) + 1.0F);
      matrix.indptr.push_back(static_cast<std::int64_t>(matrix.values.size()));
    }
    return matrix;
  }

  mutable std::mutex mutex_;
  std::vector<std::vector<RowIndex>> reads_;
  std::thread::id caller_ = std::this_thread::get_id();
  bool another_ = false;
  std::vector<std::int32_t> chunks_ = std::vector<std::int32_t>(1000, 0);
  RowSource source_{1000, chunks_, 100, [this](std::span<const RowIndex> rows) { return read(rows); }};
};

void expect_rows(const SparseRowsView& rows, const std::vector<RowIndex>& wanted) {
  ASSERT_EQ(rows.rows(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    ASSERT_EQ(rows.row_values(i).size(), 1U);
    EXPECT_EQ(rows.row_indices(i).front(), wanted[i]);
    EXPECT_EQ(rows.row_values(i).front(), static_cast<float>(wanted[i]) + 1.0F);
  }
}

TEST(ReadAheadTest, GivesTheRowsInOrderAndReadsEachOnce) {
  Counted counted;
  ReadAhead ahead(counted.source());
  std::vector<std::vector<RowIndex>> parts;
  for (RowIndex part = 0; part < 20; ++part) parts.push_back({part * 3 + 2, part * 3, part * 3 + 1});
  for (std::size_t part = 0; part < parts.size(); ++part) {
    const auto then = part + 1 < parts.size() ? parts[part + 1] : std::vector<RowIndex>{};
    expect_rows(ahead.next(parts[part], then), parts[part]);
  }
  EXPECT_EQ(counted.reads(), parts);
  EXPECT_TRUE(counted.read_by_another());
}

TEST(ReadAheadTest, ReadsAgainWhatItDidNotExpect) {
  Counted counted;
  ReadAhead ahead(counted.source());
  const std::vector<RowIndex> first{1, 2};
  const std::vector<RowIndex> guessed{3, 4};
  const std::vector<RowIndex> asked{4, 3};
  expect_rows(ahead.next(first, guessed), first);
  expect_rows(ahead.next(asked, {}), asked);
  EXPECT_EQ(counted.reads(), (std::vector<std::vector<RowIndex>>{first, guessed, asked}));
}

TEST(ReadAheadTest, WhatFailsAheadIsThrownWhenItIsAskedFor) {
  Counted counted;
  ReadAhead ahead(counted.source());
  const std::vector<RowIndex> first{1, 2};
  const std::vector<RowIndex> gone{3, 900};
  expect_rows(ahead.next(first, gone), first);
  EXPECT_THROW(static_cast<void>(ahead.next(gone, {})), std::runtime_error);
  expect_rows(ahead.next(first, {}), first);
}

TEST(ReadAheadTest, IsLeftWhileItReads) {
  Counted counted;
  const std::vector<RowIndex> first{1};
  for (int round = 0; round < 20; ++round) {
    ReadAhead ahead(counted.source());
    expect_rows(ahead.next(first, first), first);
  }
}

}  // namespace
}  // namespace headstart::test

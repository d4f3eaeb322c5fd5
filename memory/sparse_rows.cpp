// memory/sparse_rows.cpp
#include "memory/sparse_rows.hpp"

#include <algorithm>
#include <utility>

namespace headstart {

std::vector<std::int32_t> SparseRows::counts() const {
  std::vector<std::int32_t> counts(rows());
  for (std::size_t i = 0; i < counts.size(); ++i)
    counts[i] = static_cast<std::int32_t>(indptr[i + 1] - indptr[i]);
  return counts;
}

void SparseRows::append_dense(std::span<const float> dense) {
  const std::size_t begin = values.size();
  // Writes every position and moves the cursor only past a non-zero, so no branch can be mispredicted. This
  // takes 26 us a row of 25,088 (benchmarks/segment); the network takes 30 ms or more for the same row. So a
  // compress-store routine for each instruction set would not pay.
  indices.resize(begin + dense.size());
  values.resize(begin + dense.size());
  std::size_t end = begin;
  for (std::size_t i = 0; i < dense.size(); ++i) {
    indices[end] = static_cast<std::int32_t>(i);
    values[end] = dense[i];
    end += static_cast<std::size_t>(dense[i] != 0.0F);
  }
  indices.resize(end);
  values.resize(end);
  indptr.push_back(static_cast<std::int64_t>(end));
}

void SparseRows::append_row(const SparseRows& other, std::size_t row) {
  const auto other_indices = other.row_indices(row);
  const auto other_values = other.row_values(row);
  indices.insert(indices.end(), other_indices.begin(), other_indices.end());
  values.insert(values.end(), other_values.begin(), other_values.end());
  indptr.push_back(static_cast<std::int64_t>(values.size()));
}

void SparseRows::append(const SparseRowsView& rows) {
  const std::int64_t entries = indptr.back();
  columns = rows.columns;
  for (std::size_t row = 1; row < rows.indptr.size(); ++row) indptr.push_back(entries + rows.indptr[row]);
  indices.insert(indices.end(), rows.indices.begin(), rows.indices.end());
  values.insert(values.end(), rows.values.begin(), rows.values.end());
}

void SparseRows::append(SparseRows&& rows) {
  if (indptr.size() == 1)
    *this = std::move(rows);
  else
    append(rows.view());
}

void SparseRows::expand(std::size_t row, std::span<float> out) const {
  headstart::expand(row_indices(row), row_values(row), out);
}

void expand(std::span<const std::int32_t> indices, std::span<const float> values, std::span<float> dense) {
  std::fill(dense.begin(), dense.end(), 0.0F);
  for (std::size_t i = 0; i < indices.size(); ++i) dense[static_cast<std::size_t>(indices[i])] = values[i];
}

}  // namespace headstart

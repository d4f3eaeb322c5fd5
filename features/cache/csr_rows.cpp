// features/cache/csr_rows.cpp: see csr_rows.hpp.
#include "features/cache/csr_rows.hpp"

#include <algorithm>

namespace headstart {
namespace {

std::size_t offset(const std::vector<std::int64_t>& indptr, std::size_t row) {
  return static_cast<std::size_t>(indptr[row]);
}

}  // namespace

std::vector<std::int32_t> CsrRows::counts() const {
  std::vector<std::int32_t> counts(rows());
  for (std::size_t i = 0; i < counts.size(); ++i)
    counts[i] = static_cast<std::int32_t>(indptr[i + 1] - indptr[i]);
  return counts;
}

std::span<const std::int32_t> CsrRows::row_indices(std::size_t row) const noexcept {
  return std::span(indices).subspan(offset(indptr, row), offset(indptr, row + 1) - offset(indptr, row));
}

std::span<const float> CsrRows::row_values(std::size_t row) const noexcept {
  return std::span(values).subspan(offset(indptr, row), offset(indptr, row + 1) - offset(indptr, row));
}

void CsrRows::append_dense(std::span<const float> dense) {
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

void CsrRows::append_row(const CsrRows& other, std::size_t row) {
  const auto other_indices = other.row_indices(row);
  const auto other_values = other.row_values(row);
  indices.insert(indices.end(), other_indices.begin(), other_indices.end());
  values.insert(values.end(), other_values.begin(), other_values.end());
  indptr.push_back(static_cast<std::int64_t>(values.size()));
}

void CsrRows::expand(std::size_t row, std::span<float> out) const {
  std::fill(out.begin(), out.end(), 0.0F);
  const auto at = row_indices(row);
  const auto value = row_values(row);
  for (std::size_t i = 0; i < at.size(); ++i) out[static_cast<std::size_t>(at[i])] = value[i];
}

}  // namespace headstart

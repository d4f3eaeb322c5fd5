// head/insight/nearest_rows.hpp: finds the rows that are most like a few given rows. Candidates come in
// parts, so they need not be in memory together.
#pragma once

#include <cstddef>
#include <vector>

#include "head/matrix.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

struct NearRow {
  RowIndex row = 0;
  double cosine = 0.0;  ///< of the angle to the query; 0 where either row is all zeros
};

class NearestRows {
 public:
  /// @param queries  few rows: they are kept dense, [queries, columns]
  /// @param most     how many near rows are kept for each query
  NearestRows(const SparseRowsView& queries, std::size_t most);

  /// Compares candidates with the queries.
  /// @param first  the number of the first candidate; the others follow
  /// @throws std::invalid_argument if the candidates have another number of columns than the queries
  void add(const SparseRowsView& candidates, RowIndex first);

  /// For each query the nearest of all candidates so far, nearest first; of equally near rows the lower one
  /// first.
  [[nodiscard]] const std::vector<std::vector<NearRow>>& found() const noexcept { return found_; }

 private:
  Matrix unit_;  // queries at length one, [columns, queries]: the products of a candidate lie side by side
  std::size_t most_;
  std::vector<std::vector<NearRow>> found_;
};

}  // namespace headstart

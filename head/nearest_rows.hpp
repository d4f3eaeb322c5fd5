// head/nearest_rows.hpp: which rows are most like a few given ones; candidates come in parts, so that they
// need not be in memory together.
#pragma once

#include <cstddef>
#include <vector>

#include "head/feature_rows.hpp"
#include "head/matrix.hpp"

namespace headstart {

struct NearRow {
  RowIndex row = 0;
  double cosine = 0.0;  ///< of the angle to the query; 0 where either is all zeros
};

class NearestRows {
 public:
  /// @param queries  few: they are kept dense, [queries, columns]
  /// @param most     how many near rows are kept of each
  NearestRows(const FeatureRows& queries, std::size_t most);

  /// Looks at candidates. @param first  the number of their first row; the others follow
  /// @throws std::invalid_argument if they have other columns than the queries
  void add(const FeatureRows& candidates, RowIndex first);

  /// Of each query the nearest of all candidates so far, nearest first; of equally near ones the lower row.
  [[nodiscard]] const std::vector<std::vector<NearRow>>& found() const noexcept { return found_; }

 private:
  Matrix unit_;  // queries at length one, [columns, queries]: a candidate's products lie side by side
  std::size_t most_;
  std::vector<std::vector<NearRow>> found_;
};

}  // namespace headstart

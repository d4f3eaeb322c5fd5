// head/search/row_factors.hpp: a transform of flattened rows as one factor for each row. unit and scale are
// such, so a search needs no transformed copies.
#pragma once

#include <span>
#include <vector>

#include "head/cancellation.hpp"
#include "head/representation/representation.hpp"
#include "head/search/search_problem.hpp"

namespace headstart {

struct RowFactors {
  std::vector<float> factors;         ///< [rows of the problem's matrices]; 0 for rows that take no part
  std::vector<double> squared_norms;  ///< the same: |x|^2 after the factor
};

/// @param members    rows, ascending; of a source they are read once
/// @param transform  any but kStandardize
/// @throws Cancelled; the errors of the source
[[nodiscard]] RowFactors factors_of_rows(const SearchProblem& problem, std::span<const RowIndex> members,
                                         Transform transform, const Cancellation& cancellation);

}  // namespace headstart

// head/search/search_cost.hpp: what training the candidates of a representation costs, in each of three ways,
// from shapes and constants (solver.hpp), never from clocks. So a search can be repeated.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "head/search/search_problem.hpp"

namespace headstart {

/// The ways to train the candidates of a representation in a search.
enum class FoldSolver {
  kGram,    ///< the products of the rows, which all candidates and folds share
  kDense,   ///< dense rows, several heads in a pass
  kSparse,  ///< sparse rows, one head at a time
};
[[nodiscard]] constexpr std::string_view to_string(FoldSolver solver) noexcept {
  switch (solver) {
    case FoldSolver::kGram:
      return "gram";
    case FoldSolver::kDense:
      return "dense, heads together";
    case FoldSolver::kSparse:
      return "sparse";
  }
  return {};
}

/// The sizes that decide what a search costs.
struct SearchShape {
  std::int64_t images = 0;  ///< rows that are measured
  std::int64_t rows = 0;    ///< with views
  std::int64_t folds = 0;
  std::int64_t columns = 0;   ///< of the representation
  std::int64_t nonzeros = 0;  ///< of these rows
  int classes = 0;
  int batch = 32;
  /// Rows that are in memory at a time; 0: all. The products of more rows are not known.
  std::int64_t window = 0;
};

/// The sizes of a part with so many of the images.
[[nodiscard]] SearchShape part_of_shape(const SearchShape& shape, std::int64_t images) noexcept;

/// What training candidates of one representation on all folds costs: seconds on one core, from flops and
/// bytes at fixed rates, and bytes.
struct SearchCost {
  FoldSolver solver = FoldSolver::kGram;
  double preparation = 0.0;          ///< of the Gram matrices
  std::vector<double> of_candidate;  ///< [candidates]: all folds
  std::int64_t bytes = 0;

  [[nodiscard]] double seconds() const noexcept;
};

/// The cheaper solver within the memory, and its cost.
/// @param candidates  of one representation
/// @param memory      bytes that may be taken
[[nodiscard]] SearchCost search_cost(const SearchShape& shape, std::span<const Candidate> candidates,
                                     int epochs, std::int64_t memory);

}  // namespace headstart

// head/search/search_cost.cpp
#include "head/search/search_cost.hpp"

#include <algorithm>
#include <numeric>

#include "head/layers/solver.hpp"
#include "head/representation/dense_representation.hpp"

namespace headstart {
namespace {

TrainingShape shape_of(const SearchShape& shape, const Candidate& candidate, int epochs) {
  const std::int64_t measured = shape.images / std::max<std::int64_t>(shape.folds, 1);
  return {.rows = shape.rows,
          .training = shape.rows - measured,
          .columns = shape.columns,
          .nonzeros = shape.nonzeros,
          .width = first_width(candidate, shape.classes),
          .batch = shape.batch,
          .epochs = epochs,
          .l2 = candidate.l2 > 0.0,
          .dense = is_dense(candidate.representation.pooling)};
}

}  // namespace

SearchShape part_of_shape(const SearchShape& shape, std::int64_t images) noexcept {
  const double share =
      static_cast<double>(images) / static_cast<double>(std::max<std::int64_t>(shape.images, 1));
  SearchShape part = shape;
  part.images = images;
  part.rows = static_cast<std::int64_t>(static_cast<double>(shape.rows) * share);
  part.nonzeros = static_cast<std::int64_t>(static_cast<double>(shape.nonzeros) * share);
  return part;
}

double SearchCost::seconds() const noexcept {
  return std::accumulate(of_candidate.begin(), of_candidate.end(), preparation);
}

SearchCost search_cost(const SearchShape& shape, std::span<const Candidate> candidates, int epochs,
                       std::int64_t memory) {
  const Representation& representation = candidates.front().representation;
  const std::int64_t fits = differs_by_fold(representation) ? shape.folds : 1;
  SearchCost gram{.solver = FoldSolver::kGram, .of_candidate = {}};
  SearchCost primal{.solver = is_dense(representation.pooling) ? FoldSolver::kDense : FoldSolver::kSparse,
                    .of_candidate = {}};
  gram.bytes = 4 * fits * shape.rows * shape.rows;
  std::vector<std::int64_t> widths;
  for (const Candidate& candidate : candidates) {
    const TrainingShape run = shape_of(shape, candidate, epochs);
    const auto folds = static_cast<double>(shape.folds);
    gram.preparation = static_cast<double>(fits) * kernel_matrix_cost(run);
    gram.of_candidate.push_back(folds * gram_steps_cost(run));
    primal.of_candidate.push_back(folds * primal_cost(run));
    if (std::find(widths.begin(), widths.end(), run.width) != widths.end()) continue;
    widths.push_back(run.width);
    gram.bytes += 4 * fits * shape.rows * run.width;
    primal.bytes = std::max(primal.bytes, 8 * run.columns * run.width);
  }
  const bool in_memory = shape.window == 0 || shape.rows <= shape.window;
  const bool possible = in_memory && gram.bytes <= memory;
  return possible && gram.seconds() < primal.seconds() ? gram : primal;
}

}  // namespace headstart

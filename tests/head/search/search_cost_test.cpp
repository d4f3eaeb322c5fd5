// tests/head/search/search_cost_test.cpp: the way to train a fold that costs less is taken.
#include "head/search/search_cost.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "head/representation/dense_representation.hpp"

namespace headstart::test {
namespace {

TEST(SearchCostTest, TheGramSolverIsTakenForFewRowsOfManyColumns) {
  const Representation flat{Pooling::kFlatten, Transform::kUnit};
  const Representation pooled{Pooling::kAverage, Transform::kUnit};
  const auto solver = [](const Representation& representation, std::int64_t images, std::int64_t memory) {
    const bool dense = is_dense(representation.pooling);
    const std::vector<Candidate> candidates{{representation, {256}, 0.1, 1e-4},
                                            {representation, {}, 0.1, 1e-4}};
    const SearchShape shape{.images = images,
                            .rows = images,
                            .folds = 5,
                            .columns = dense ? 512 : 25'088,
                            .nonzeros = images * (dense ? 512 : 2500),
                            .classes = 10};
    return search_cost(shape, candidates, 8, memory).solver;
  };
  constexpr std::int64_t kMemory = 10'000'000'000;
  EXPECT_EQ(solver(flat, 2000, kMemory), FoldSolver::kGram);
  EXPECT_EQ(solver(flat, 2000, 4 * 2000 * 2000), FoldSolver::kSparse);
  EXPECT_EQ(solver(flat, 200'000, std::int64_t{1} << 60), FoldSolver::kSparse);
  EXPECT_EQ(solver(pooled, 2000, kMemory), FoldSolver::kDense);
  EXPECT_EQ(solver(pooled, 1'000'000, kMemory), FoldSolver::kDense);
}

}  // namespace
}  // namespace headstart::test

// head/search/sparse_training.hpp: trains candidates on flattened rows without their zeros, one after
// another; on rows that do not fit in memory a window at a time.
#pragma once

#include <memory>
#include <span>

#include "head/search/fold_training.hpp"

namespace headstart {

/// The arguments are those of prepare_training(). @throws Cancelled
[[nodiscard]] std::unique_ptr<FoldTraining> make_sparse_training(const SearchProblem& problem,
                                                                 std::span<const Fold> folds,
                                                                 Transform transform,
                                                                 const TrainingOptions& training,
                                                                 const Cancellation& cancellation);

}  // namespace headstart

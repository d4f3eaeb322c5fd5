// head/search/dense_training.hpp: trains candidates on dense rows, several in a pass. All transforms and
// folds share the rows.
#pragma once

#include <memory>
#include <span>

#include "head/search/fold_training.hpp"

namespace headstart {

/// The arguments are those of prepare_training(). @throws Cancelled
[[nodiscard]] std::unique_ptr<FoldTraining> make_dense_training(const SearchProblem& problem,
                                                                std::span<const Fold> folds,
                                                                const Representation& representation,
                                                                const TrainingOptions& training,
                                                                const Cancellation& cancellation);

}  // namespace headstart

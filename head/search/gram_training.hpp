// head/search/gram_training.hpp: trains candidates on the products of the rows, which all candidates and
// folds of a representation share. A representation whose fit depends on the training rows has products for
// each fold.
#pragma once

#include <memory>
#include <span>

#include "head/search/fold_training.hpp"

namespace headstart {

/// The arguments are those of prepare_training(). @throws Cancelled
[[nodiscard]] std::unique_ptr<FoldTraining> make_gram_training(const SearchProblem& problem,
                                                               std::span<const Fold> folds,
                                                               std::span<const Candidate> candidates,
                                                               const TrainingOptions& training,
                                                               const Cancellation& cancellation);

}  // namespace headstart

// head/search/head_group.hpp: trains several heads together in one pass over the rows. Each batch is gathered
// once, and its rows stay in cache for all heads. Each head gets exactly the result of train_head() with the
// primal solver.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "head/cancellation.hpp"
#include "head/layers/affine_rows.hpp"
#include "head/search/fold_curve.hpp"
#include "head/search/search_problem.hpp"
#include "head/training/training_options.hpp"

namespace headstart {

/// Trains on the calling thread.
/// @param labels  [rows.count()]
/// @param heads   the heads have the same batch, epochs, seed and order; their learning rates are constant
/// @param keep_logits  whether the curves have the last epoch's logits
/// @return one curve for each head; the curve of a head that diverged ends before that epoch
/// @throws std::invalid_argument if the heads disagree, or for a row that does not exist; Cancelled
[[nodiscard]] std::vector<FoldCurve> train_together(const AffineRows& rows,
                                                    std::span<const std::int32_t> labels, int classes,
                                                    const Fold& fold, std::span<const TrainingOptions> heads,
                                                    bool keep_logits, const Cancellation& cancellation);

}  // namespace headstart

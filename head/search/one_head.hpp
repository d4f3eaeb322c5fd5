// head/search/one_head.hpp: trains one head on a fold, with a first layer that exists already.
#pragma once

#include "head/cancellation.hpp"
#include "head/layers/first_layer.hpp"
#include "head/search/fold_curve.hpp"
#include "head/training/trainer.hpp"

namespace headstart {

/// Options for a training beside others: on one thread, in this process.
[[nodiscard]] TrainingOptions beside_others(TrainingOptions options);

/// @param first  numbers rows as `data` does; its weights matrix is the head's first
/// @param data   its validation rows are measured
/// @throws Cancelled
[[nodiscard]] FoldCurve train_one_head(FirstLayer& first, const TrainingData& data,
                                       const TrainingOptions& options, bool keep_logits,
                                       const Cancellation& cancellation);

}  // namespace headstart

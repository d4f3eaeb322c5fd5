// head/search/fold_curve.hpp: how a head did on the rows of a fold that it was not trained on.
#pragma once

#include <cstdint>
#include <vector>

#include "head/matrix.hpp"

namespace headstart {

/// The results of a run on its measured rows, after each epoch.
struct FoldCurve {
  std::vector<double> cross_entropy;  ///< sums over the rows
  std::vector<std::int64_t> correct;
  Matrix last_logits;  ///< after the last epoch, [measured, classes]; empty if they were not asked for
  bool diverged = false;
};

}  // namespace headstart

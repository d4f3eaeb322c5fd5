// head/search/learning_curve.hpp: accuracy for a growing number of training rows: would more images help?
#pragma once

#include <functional>
#include <vector>

#include "head/search/cross_validation.hpp"

namespace headstart {

/// The accuracy out of fold with fewer training rows.
struct LearningCurvePoint {
  int rows_per_class = 0;      ///< at most so many images of each class train in a fold, with their views
  double training_rows = 0.0;  ///< mean over the folds
  double accuracy = 0.0;       ///< mean over the folds
  double deviation = 0.0;      ///< standard deviation over the folds
};

/// Points at 1, 2, 4, ... rows a class, and at all rows. The smaller sets are parts of the larger ones and
/// are drawn by the seed. Every point takes as many steps as `epochs` take with all rows, and uses its best
/// epoch by cross-entropy out of fold. A standardized representation keeps the fit to all of a fold's
/// training rows.
/// @param on_progress  gets the share of the work that is done; may be empty
/// @throws Cancelled
[[nodiscard]] std::vector<LearningCurvePoint> learning_curve(
    CrossValidation& validation, const Candidate& candidate, int epochs,
    const std::function<void(double share)>& on_progress = {});

}  // namespace headstart

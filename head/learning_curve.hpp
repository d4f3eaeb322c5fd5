// head/learning_curve.hpp: accuracy against training rows: would more images help?
#pragma once

#include <vector>

#include "head/cross_validation.hpp"

namespace headstart {

/// Accuracy out of fold with fewer training rows.
struct LearningCurvePoint {
  int rows_per_class = 0;      ///< at most so many of each class train in a fold, and their views
  double training_rows = 0.0;  ///< mean over the folds
  double accuracy = 0.0;       ///< mean over the folds
  double deviation = 0.0;      ///< standard deviation over the folds
};

/// Points at 1, 2, 4, ... rows a class, and all: smaller sets are parts of larger ones, drawn by the seed.
/// Every point takes as many steps as `epochs` are with all rows, and its best moment by cross-entropy out of
/// fold. A representation that is standardized keeps the fit to all of a fold's training rows.
/// @throws Cancelled
[[nodiscard]] std::vector<LearningCurvePoint> learning_curve(const CrossValidation& validation,
                                                             const Candidate& candidate, int epochs);

}  // namespace headstart

// head/search/learning_curve.cpp
#include "head/search/learning_curve.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "head/random.hpp"
#include "head/seed_purpose.hpp"

namespace headstart {
namespace {

// For every feature row: its image (the row itself, unless it is a view), and the image's place in an order
// drawn once.
struct Draw {
  std::vector<RowIndex> image;
  std::vector<std::size_t> place;
};

Draw draw_of(const SearchProblem& problem, std::uint64_t seed) {
  Draw draw{std::vector<RowIndex>(problem.labels.size(), 0),
            std::vector<std::size_t>(problem.labels.size(), 0)};
  std::vector<RowIndex> order(problem.rows);
  Random random(derive_seed(seed, SeedPurpose::kLearningCurve));
  shuffle(order, random);
  for (std::size_t i = 0; i < order.size(); ++i) {
    draw.image[static_cast<std::size_t>(order[i])] = order[i];
    draw.place[static_cast<std::size_t>(order[i])] = i;
  }
  for (std::size_t v = 0; v < problem.views.size(); ++v) {
    draw.image[static_cast<std::size_t>(problem.views[v])] = problem.rows[problem.view_images[v]];
  }
  return draw;
}

// The fold with fewer training rows: the first `per_class` images of each class, and their views.
Fold reduced(const Fold& fold, const SearchProblem& problem, const Draw& draw, int per_class) {
  std::vector<RowIndex> images;
  for (const RowIndex row : fold.training) {
    if (draw.image[static_cast<std::size_t>(row)] == row) images.push_back(row);
  }
  std::sort(images.begin(), images.end(), [&](RowIndex a, RowIndex b) {
    return draw.place[static_cast<std::size_t>(a)] < draw.place[static_cast<std::size_t>(b)];
  });
  std::vector<int> counts(static_cast<std::size_t>(problem.classes), 0);
  std::vector<bool> kept(draw.image.size(), false);
  for (const RowIndex row : images) {
    int& count = counts[static_cast<std::size_t>(problem.labels[static_cast<std::size_t>(row)])];
    kept[static_cast<std::size_t>(row)] = count++ < per_class;
  }
  Fold result = fold;
  std::erase_if(result.training, [&](RowIndex row) {
    return !kept[static_cast<std::size_t>(draw.image[static_cast<std::size_t>(row)])];
  });
  return result;
}

// Cuts the curves to the epochs that all of them have: folds of different size may differ by an epoch.
void cut_to_common_length(std::vector<FoldCurve>& curves) {
  std::size_t common = curves.front().cross_entropy.size();
  for (const FoldCurve& curve : curves) common = std::min(common, curve.cross_entropy.size());
  for (FoldCurve& curve : curves) {
    curve.cross_entropy.resize(common);
    curve.correct.resize(common);
  }
}

// About how many points the curve of this problem has: the largest class halved until one image is left.
double points_of(const SearchProblem& problem) {
  std::vector<double> counts(static_cast<std::size_t>(problem.classes), 0.0);
  for (const RowIndex row : problem.rows)
    counts[static_cast<std::size_t>(problem.labels[static_cast<std::size_t>(row)])] += 1.0;
  return 1.0 + std::ceil(std::log2(*std::max_element(counts.begin(), counts.end())));
}

}  // namespace

std::vector<LearningCurvePoint> learning_curve(CrossValidation& validation, const Candidate& candidate,
                                               int epochs,
                                               const std::function<void(double share)>& on_progress) {
  const SearchProblem& problem = validation.problem();
  const std::vector<Fold>& whole = validation.folds();
  const Draw draw = draw_of(problem, validation.seed());
  // Every point takes the same number of steps.
  const double trainings = static_cast<double>(whole.size()) * points_of(problem);
  double done = 0.0;
  const auto on_fold = [&] {
    if (on_progress) on_progress(++done / trainings);
  };
  std::vector<LearningCurvePoint> points;
  for (int per_class = 1;; per_class *= 2) {
    std::vector<Fold> folds;
    folds.reserve(whole.size());
    for (const Fold& fold : whole) folds.push_back(reduced(fold, problem, draw, per_class));
    std::vector<int> longer;
    for (std::size_t f = 0; f < folds.size(); ++f) {
      const std::size_t rows = folds[f].training.size();
      longer.push_back(epochs * static_cast<int>((whole[f].training.size() + rows - 1) / rows));
    }
    std::vector<FoldCurve> curves = validation.run(candidate, folds, longer, false, on_fold);
    cut_to_common_length(curves);
    const CandidateScore score = CrossValidation::score(candidate, curves, folds);
    std::size_t rows = 0;
    std::size_t all_rows = 0;
    for (const Fold& fold : folds) rows += fold.training.size();
    for (const Fold& fold : whole) all_rows += fold.training.size();
    points.push_back({per_class, static_cast<double>(rows) / static_cast<double>(folds.size()),
                      score.accuracy, score.deviation});
    if (rows == all_rows) return points;
  }
}

}  // namespace headstart

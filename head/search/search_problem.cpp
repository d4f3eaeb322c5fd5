// head/search/search_problem.cpp
#include "head/search/search_problem.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "head/random.hpp"
#include "head/seed_purpose.hpp"

namespace headstart {
namespace {

[[noreturn]] void refuse_problem(const std::string& what) {
  throw std::invalid_argument("cross-validation: " + what);
}

void check(const SearchProblem& problem) {
  if (problem.rows.size() != problem.folds.size()) refuse_problem("needed one fold for each row");
  if (problem.views.size() != problem.view_images.size()) refuse_problem("needed one image for each view");
  if (problem.rows.empty()) refuse_problem("there is no row");
  for (const std::size_t image : problem.view_images) {
    if (image >= problem.rows.size()) refuse_problem("a view has no image");
  }
  if (*std::min_element(problem.folds.begin(), problem.folds.end()) < 0)
    refuse_problem("a fold is below zero");
}

// The positions in `rows` such that the first so many are a stratified part: of each class, row after row in
// an order drawn by the seed, as soon as the share of the class is due.
std::vector<std::size_t> stratified_order(const SearchProblem& problem, std::uint64_t seed) {
  std::vector<RowIndex> drawn(problem.rows.size());
  std::iota(drawn.begin(), drawn.end(), 0);
  Random random(derive_seed(seed, SeedPurpose::kSearchPart));
  shuffle(drawn, random);
  const auto class_of = [&](std::size_t position) {
    return static_cast<std::size_t>(problem.labels[static_cast<std::size_t>(problem.rows[position])]);
  };
  std::vector<double> counts(static_cast<std::size_t>(problem.classes), 0.0);
  for (std::size_t i = 0; i < problem.rows.size(); ++i) counts[class_of(i)] += 1.0;
  std::vector<double> seen(counts.size(), 0.0);
  std::vector<std::pair<double, std::size_t>> due;
  for (const RowIndex position : drawn) {
    const auto at = static_cast<std::size_t>(position);
    double& number = seen[class_of(at)];
    due.emplace_back(number / counts[class_of(at)], at);
    number += 1.0;
  }
  std::stable_sort(due.begin(), due.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::size_t> order;
  for (const auto& [share, position] : due) order.push_back(position);
  return order;
}

}  // namespace

int first_width(const Candidate& candidate, int classes) noexcept {
  return candidate.hidden.empty() ? classes : candidate.hidden.front();
}

std::vector<Representation> representations_of(std::span<const Candidate> candidates) {
  std::vector<Representation> representations;
  for (const Candidate& candidate : candidates) {
    if (std::find(representations.begin(), representations.end(), candidate.representation) ==
        representations.end()) {
      representations.push_back(candidate.representation);
    }
  }
  return representations;
}

bool differs_by_fold(const Representation& representation) noexcept {
  return representation.transform == Transform::kStandardize;
}

std::int64_t SearchProblem::columns(Pooling pooling) const {
  if (pooling == Pooling::kFlatten) {
    if (source != nullptr) return source->columns;
    if (flattened.rows() != labels.size()) refuse_problem("it has no flattened rows");
    return flattened.columns;
  }
  const auto found = pooled.find(pooling);
  if (found == pooled.end() || found->second.rows() != labels.size())
    refuse_problem("it has no rows of pooling " + std::string(to_string(pooling)));
  return found->second.columns;
}

std::vector<RowIndex> members_of(std::span<const Fold> folds) {
  std::vector<RowIndex> members;
  for (const Fold& fold : folds) {
    members.insert(members.end(), fold.training.begin(), fold.training.end());
    members.insert(members.end(), fold.measured.begin(), fold.measured.end());
  }
  std::sort(members.begin(), members.end());
  members.erase(std::unique(members.begin(), members.end()), members.end());
  return members;
}

std::vector<Fold> folds_of(const SearchProblem& problem) {
  check(problem);
  const int count = 1 + *std::max_element(problem.folds.begin(), problem.folds.end());
  std::vector<Fold> folds(static_cast<std::size_t>(count));
  for (std::size_t f = 0; f < folds.size(); ++f) {
    Fold& fold = folds[f];
    for (std::size_t i = 0; i < problem.rows.size(); ++i) {
      const bool measured = static_cast<std::size_t>(problem.folds[i]) == f;
      (measured ? fold.measured : fold.training).push_back(problem.rows[i]);
    }
    for (std::size_t i = 0; i < problem.views.size(); ++i) {
      if (static_cast<std::size_t>(problem.folds[problem.view_images[i]]) != f) {
        fold.training.push_back(problem.views[i]);
      }
    }
  }
  if (folds.size() < 2) refuse_problem("needed two folds or more");
  for (const Fold& fold : folds) {
    if (fold.measured.empty()) refuse_problem("a fold has no row");
  }
  return folds;
}

SearchProblem part_of(const SearchProblem& problem, std::size_t images, std::uint64_t seed) {
  check(problem);
  if (images >= problem.rows.size()) return problem;
  std::vector<std::size_t> kept = stratified_order(problem, seed);
  kept.resize(std::max<std::size_t>(images, 1));
  std::sort(kept.begin(), kept.end());
  SearchProblem part = problem;
  part.rows.clear();
  part.folds.clear();
  part.views.clear();
  part.view_images.clear();
  std::vector<std::size_t> place(problem.rows.size(), kept.size());  // of an image in the part
  for (const std::size_t position : kept) {
    place[position] = part.rows.size();
    part.rows.push_back(problem.rows[position]);
    part.folds.push_back(problem.folds[position]);
  }
  for (std::size_t v = 0; v < problem.views.size(); ++v) {
    if (place[problem.view_images[v]] == kept.size()) continue;
    part.views.push_back(problem.views[v]);
    part.view_images.push_back(place[problem.view_images[v]]);
  }
  return part;
}

SparseRows read_flattened(const SearchProblem& problem) {
  std::vector<RowIndex> members = problem.rows;
  members.insert(members.end(), problem.views.begin(), problem.views.end());
  std::sort(members.begin(), members.end());
  SparseRows rows = problem.source->read(members);
  std::vector<std::int64_t> starts{0};
  std::size_t next = 0;
  for (std::size_t row = 0; row < problem.labels.size(); ++row) {
    if (next < members.size() && static_cast<std::size_t>(members[next]) == row) ++next;
    starts.push_back(rows.indptr[next]);
  }
  rows.indptr = std::move(starts);
  return rows;
}

}  // namespace headstart

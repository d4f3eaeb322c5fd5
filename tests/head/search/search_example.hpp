// tests/head/search/search_example.hpp: a small set that pooling and a transform make learnable, and short
// searches in it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "head/random.hpp"
#include "head/representation/dense_representation.hpp"
#include "head/search/cross_validation.hpp"
#include "head/search/search.hpp"
#include "memory/dense_rows.hpp"
#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {

inline constexpr Eigen::Index kMapPositions = 4;
inline constexpr Eigen::Index kMapChannels = 12;
inline constexpr int kSearchClasses = 3;

// Maps whose class is a channel that is large at some position; the last `views` rows are noisy copies of the
// first rows.
struct SearchExample {
  explicit SearchExample(int images = 60, int views = 12) {
    Random random(71);
    dense = Matrix::Zero(images + views, kMapPositions * kMapChannels);
    for (Eigen::Index row = 0; row < images; ++row) {
      const auto label = static_cast<Eigen::Index>(random.below(kSearchClasses));
      labels.push_back(static_cast<std::int32_t>(label));
      for (Eigen::Index i = 0; i < dense.cols(); ++i) {
        if (random.uniform() < 0.4F) dense(row, i) = random.uniform();
      }
      const auto position = static_cast<Eigen::Index>(random.below(kMapPositions));
      dense(row, position * kMapChannels + label) += 1.0F + random.uniform();
    }
    for (Eigen::Index view = 0; view < views; ++view) {
      dense.row(images + view) = 0.9F * dense.row(view);
      labels.push_back(labels[static_cast<std::size_t>(view)]);
    }
    matrix = sparse(dense);
    fill_pooled(matrix);
    problem = problem_with(matrix);
    for (RowIndex row = 0; row < images; ++row) {
      problem.rows.push_back(row);
      problem.folds.push_back(row % 4);
    }
    for (int view = 0; view < views; ++view) {
      problem.views.push_back(images + view);
      problem.view_images.push_back(static_cast<std::size_t>(view));
    }
  }

  // The pooled rows of other maps.
  void fill_pooled(const SparseMatrix& maps) {
    for (const Pooling pooling : {Pooling::kAverage, Pooling::kMaximum}) {
      pooled[pooling] = std::make_shared<DenseRows>(labels.size(), kMapChannels);
      pool_dense(maps.view(), kMapChannels, pooling, 1, pooled[pooling]->values());
    }
  }
  [[nodiscard]] SearchProblem problem_with(const SparseMatrix& maps) const {
    SearchProblem result = problem;
    result.flattened = maps.view();
    for (const auto& [pooling, rows] : pooled) result.pooled[pooling] = rows->view();
    result.labels = labels;
    result.classes = kSearchClasses;
    return result;
  }

  Matrix dense;
  std::vector<std::int32_t> labels;
  SparseMatrix matrix;
  std::map<Pooling, std::shared_ptr<DenseRows>> pooled;
  SearchProblem problem;
};

inline constexpr std::int64_t kEnough = std::int64_t{1} << 30;  // bytes

inline TrainingOptions short_training(int threads = 2) {
  TrainingOptions training;
  training.batch = 8;
  training.seed = 3;
  training.threads = threads;
  return training;
}

inline SearchOptions small_search() {
  SearchOptions options;
  options.epochs = {2, 6};
  return options;
}

inline SearchResult search_in(const SearchProblem& problem, const std::vector<Candidate>& candidates,
                              const SearchOptions& options,
                              const TrainingOptions& training = short_training()) {
  return search(problem, candidates, training, options, kEnough);
}

inline Matrix out_of_fold(const SearchProblem& problem, const Candidate& candidate, int epochs) {
  return CrossValidation(problem, short_training(), kEnough).out_of_fold_logits(candidate, epochs);
}

inline std::vector<Candidate> small_candidates() {
  SearchSpace space;
  space.hidden = {{}, {9}};
  space.rates = {0.1, 1.0};
  space.l2 = {1e-4};
  return candidates_of(space);
}

inline Candidate pooled_candidate() { return {{Pooling::kMaximum, Transform::kStandardize}, {9}, 0.3, 1e-3}; }

}  // namespace headstart::test

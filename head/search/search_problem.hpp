// head/search/search_problem.hpp: what a search works on: labelled rows with their folds, and the candidates,
// which are ways to train a head.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "head/representation/representation.hpp"
#include "head/training/row_source.hpp"
#include "memory/dense_rows.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// One way to train a head.
struct Candidate {
  Representation representation;
  std::vector<int> hidden;  ///< widths; empty: linear
  /// Learning rate times mean |x|^2 of the training rows. The largest stable learning rate is inversely
  /// proportional to mean |x|^2, so one range of rates serves every representation.
  double rate = 0.1;
  double l2 = 1e-4;

  bool operator==(const Candidate&) const = default;
};

/// The width of the first layer.
[[nodiscard]] int first_width(const Candidate& candidate, int classes) noexcept;

/// The representations of the candidates, each once, in order of their first candidate.
[[nodiscard]] std::vector<Representation> representations_of(std::span<const Candidate> candidates);

/// Whether each fold has a fit of its own. kScale has one number, which does not depend on labels, and rates
/// are relative to each fold's mean |x|^2. So all folds may share its fit.
[[nodiscard]] bool differs_by_fold(const Representation& representation) noexcept;

/// Rows with their folds. A row has the same number in every matrix here.
struct SearchProblem {
  /// Flattened maps that do not fit in memory: they are read a window at a time, and `flattened` is empty.
  const RowSource* source = nullptr;
  std::int64_t source_nonzeros = 0;           ///< of all its rows
  SparseRowsView flattened{};                 ///< maps as they are; empty if no candidate takes them
  std::map<Pooling, DenseRowsView> pooled{};  ///< for each other pooling that a candidate takes
  std::span<const std::int32_t> labels;       ///< [rows of these]; for the rows below, each in [0, classes)
  int classes = 0;
  std::vector<RowIndex> rows;            ///< each trains in all folds but one, and is measured in that one
  std::vector<int> folds;                ///< [rows.size()]: 0 to the number of folds - 1, each at least once
  std::vector<RowIndex> views;           ///< further rows of the same images; they only train
  std::vector<std::size_t> view_images;  ///< [views.size()]: the position in `rows` of their image

  /// The number of columns of a representation's rows. @throws std::invalid_argument if it has no rows here
  [[nodiscard]] std::int64_t columns(Pooling pooling) const;
};

/// The rows that one fold trains on, and those that it is measured on.
struct Fold {
  std::vector<RowIndex> training;  ///< views included
  std::vector<RowIndex> measured;
};

/// The rows of all folds, ascending.
[[nodiscard]] std::vector<RowIndex> members_of(std::span<const Fold> folds);

/// @throws std::invalid_argument if the parts of the problem disagree, or there are fewer than two folds
[[nodiscard]] std::vector<Fold> folds_of(const SearchProblem& problem);

/// A part of the problem with about `images` of its rows and their views. Of each class it has the same
/// share, but at least one row. A larger part contains a smaller one.
/// @param images  at least one; all rows if there are no more
[[nodiscard]] SearchProblem part_of(const SearchProblem& problem, std::size_t images, std::uint64_t seed);

/// The flattened rows of the problem's source that take part. All others are empty, so that the numbers of
/// the rows stay.
[[nodiscard]] SparseRows read_flattened(const SearchProblem& problem);

}  // namespace headstart

// head/insight/neighbours.hpp: the nearest other rows of every row, by cosine, without an n x n matrix. Up to
// kMostComparedRows rows every pair is compared, in n^2 d multiply-adds of float32. Above, an index is asked:
// k-means puts the rows into sqrt(n) clusters, and a row is compared with the rows of the clusters that are
// nearest to its own (inverted file: Jegou, Douze and Schmid 2011, doi 10.1109/TPAMI.2010.57, without the
// compression). All of it is products of blocks, and has the same result for any number of threads. An index
// of HNSW (hnswlib) has not, where threads build it together.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "head/cancellation.hpp"
#include "head/matrix.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// Up to so many rows every row is compared with every other one.
inline constexpr std::size_t kMostComparedRows = 100'000;

struct Neighbours {
  std::size_t most = 0;        ///< neighbours of each row: as many as asked for, or all others
  std::vector<RowIndex> rows;  ///< [n, most], the nearest first; of equally near ones the lower row first
  std::vector<float> cosines;  ///< [n, most]
  /// The share of the true neighbours that the index found, measured on a sample; empty where all were
  /// compared.
  std::optional<double> recall;
};

struct NeighbourSearch {
  std::size_t most = 10;  ///< neighbours of each row
  int threads = 0;        ///< 0: all that the process may use
  Cancellation cancellation{};
  /// Told from any thread of how much work is done, in rows times compared rows.
  std::function<void(std::size_t done, std::size_t total)> progress{};
  std::size_t compare_all = kMostComparedRows;  ///< up to so many rows no index is made
};

/// @param unit_rows  [n, d], each of length one, or zero: such a row has cosine 0 to every other
/// @throws Cancelled, within a second
[[nodiscard]] Neighbours nearest_neighbours(const Matrix& unit_rows, const NeighbourSearch& search);

/// The memory of the result and of the search, without `unit_rows`.
[[nodiscard]] std::size_t neighbour_bytes(std::size_t rows, std::size_t columns, std::size_t most,
                                          int threads);

}  // namespace headstart

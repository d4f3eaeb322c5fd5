// head/insight/neighbours.cpp
#include "head/insight/neighbours.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "head/blas.hpp"
#include "head/row_blocks.hpp"
#include "head/workers.hpp"

namespace headstart {
namespace {

constexpr Eigen::Index kQueries = 256;      // that a worker takes at a time
constexpr Eigen::Index kCandidates = 1024;  // that are compared with them at a time: products stay in cache
constexpr Eigen::Index kLanes = 16;
constexpr int kRoundsOfMeans = 8;
constexpr std::size_t kSampleOfCluster = 64;  // rows for each cluster that k-means looks at
constexpr std::size_t kClustersProbed = 32;
constexpr std::size_t kRecallRows = 500;
constexpr float kSameCosine = 1e-6F;  // rounding of float: neighbours that are equally near

using Rows = std::vector<RowIndex>;

/// The nearest candidates of some queries so far.
class Nearest {
 public:
  Nearest(std::size_t queries, std::size_t most)
      : most_(most),
        rows_(queries * most, -1),
        cosines_(queries * most, -std::numeric_limits<float>::infinity()) {}

  /// Offers candidates to a query. @param candidates  their row numbers
  void offer(std::size_t query, RowIndex own, const float* cosines, std::span<const RowIndex> candidates) {
    float* const worst = &cosines_[query * most_ + most_ - 1];
    const auto count = static_cast<Eigen::Index>(candidates.size());
    for (Eigen::Index first = 0; first < count; first += kLanes) {
      const Eigen::Index size = std::min(kLanes, count - first);
      bool any = false;
      for (Eigen::Index i = 0; i < size; ++i) any |= cosines[first + i] >= *worst;
      if (!any) continue;
      for (Eigen::Index i = first; i < first + size; ++i) {
        const RowIndex row = candidates[static_cast<std::size_t>(i)];
        if (cosines[i] >= *worst && row != own) insert(query, cosines[i], row);
      }
    }
  }

  [[nodiscard]] std::span<const RowIndex> rows(std::size_t query) const {
    return std::span(rows_).subspan(query * most_, most_);
  }
  [[nodiscard]] std::span<const float> cosines(std::size_t query) const {
    return std::span(cosines_).subspan(query * most_, most_);
  }

 private:
  void insert(std::size_t query, float cosine, RowIndex row) {
    const auto farther = [&](std::size_t at) {
      return cosines_[at] < cosine || (cosines_[at] == cosine && (rows_[at] > row || rows_[at] < 0));
    };
    std::size_t at = query * most_ + most_ - 1;
    if (!farther(at)) return;
    for (; at > query * most_ && farther(at - 1); --at) {
      cosines_[at] = cosines_[at - 1];
      rows_[at] = rows_[at - 1];
    }
    cosines_[at] = cosine;
    rows_[at] = row;
  }

  std::size_t most_;
  std::vector<RowIndex> rows_;
  std::vector<float> cosines_;
};

BlasBlock<const float> rows_from(const Matrix& matrix, Eigen::Index first, Eigen::Index count,
                                 bool transposed) {
  return {matrix.row(first).data(), count, matrix.cols(), matrix.cols(), transposed};
}

/// Counts the work for the search's progress.
class Meter {
 public:
  Meter(const NeighbourSearch& search, std::size_t total) : search_(search), total_(total) {}
  /// From any thread.
  void add(std::size_t work) {
    const std::size_t done = done_.fetch_add(work) + work;
    if (search_.progress) search_.progress(std::min(done, total_), total_);
  }
  /// Corrects the estimate of the work that is left.
  void expect(std::size_t left) { total_ = done_ + left; }

 private:
  const NeighbourSearch& search_;
  std::size_t total_;
  std::atomic<std::size_t> done_{0};
};

/// Compares queries, at most kQueries, with all rows.
void compare_with_all(const Matrix& unit_rows, const Matrix& queries, std::span<const RowIndex> own,
                      const NeighbourSearch& search, Meter& meter, Nearest& nearest) {
  Matrix cosines;
  Rows candidates;
  for (Eigen::Index first = 0; first < unit_rows.rows(); first += kCandidates) {
    search.cancellation.check();
    const Eigen::Index count = std::min(kCandidates, unit_rows.rows() - first);
    cosines.resize(queries.rows(), count);
    multiply(blas_block(queries), rows_from(unit_rows, first, count, true), blas_block(cosines));
    candidates.resize(static_cast<std::size_t>(count));
    std::iota(candidates.begin(), candidates.end(), static_cast<RowIndex>(first));
    for (Eigen::Index i = 0; i < queries.rows(); ++i) {
      nearest.offer(static_cast<std::size_t>(i), own[static_cast<std::size_t>(i)], cosines.row(i).data(),
                    candidates);
    }
    meter.add(static_cast<std::size_t>(queries.rows() * count));
  }
}

Matrix gathered(const Matrix& matrix, std::span<const RowIndex> which) {
  Matrix rows;
  blocks_of(matrix).read(which, rows);
  return rows;
}

/// Writes what was found for the rows `own`.
void keep(Neighbours& result, const Nearest& nearest, std::span<const RowIndex> own) {
  for (std::size_t i = 0; i < own.size(); ++i) {
    const std::size_t to = static_cast<std::size_t>(own[i]) * result.most;
    std::copy_n(nearest.rows(i).begin(), result.most, result.rows.begin() + static_cast<std::ptrdiff_t>(to));
    std::copy_n(nearest.cosines(i).begin(), result.most,
                result.cosines.begin() + static_cast<std::ptrdiff_t>(to));
  }
}

/// Calls task(which) for the rows `all`, kQueries at a time.
template <typename Task>
void in_tasks(std::span<const RowIndex> all, Workers& workers, const Task& task) {
  const auto size = static_cast<std::size_t>(kQueries);
  workers.for_each((all.size() + size - 1) / size, [&](std::size_t at) {
    task(all.subspan(at * size, std::min(size, all.size() - at * size)));
  });
}

/// For each row the centroid with the highest cosine.
std::vector<std::size_t> assign(const Matrix& rows, const Matrix& centroids, Workers& workers, Meter& meter) {
  std::vector<std::size_t> clusters(static_cast<std::size_t>(rows.rows()));
  Rows all(clusters.size());
  std::iota(all.begin(), all.end(), 0);
  in_tasks(all, workers, [&](std::span<const RowIndex> which) {
    Matrix cosines(static_cast<Eigen::Index>(which.size()), centroids.rows());
    multiply(rows_from(rows, which.front(), cosines.rows(), false), blas_block(centroids, true),
             blas_block(cosines));
    for (Eigen::Index i = 0; i < cosines.rows(); ++i) {
      Eigen::Index best = 0;
      cosines.row(i).maxCoeff(&best);
      clusters[static_cast<std::size_t>(which[static_cast<std::size_t>(i)])] = static_cast<std::size_t>(best);
    }
    meter.add(which.size() * static_cast<std::size_t>(centroids.rows()));
  });
  return clusters;
}

/// Spherical k-means: centroids of length one.
Matrix cluster_means(const Matrix& sample, std::size_t clusters, Workers& workers, Meter& meter) {
  const std::size_t stride = static_cast<std::size_t>(sample.rows()) / clusters;
  Rows first(clusters);
  for (std::size_t c = 0; c < clusters; ++c) first[c] = static_cast<RowIndex>(c * stride);
  Matrix centroids = gathered(sample, first);
  for (int round = 0; round < kRoundsOfMeans; ++round) {
    const std::vector<std::size_t> of = assign(sample, centroids, workers, meter);
    Matrix sums = Matrix::Zero(centroids.rows(), centroids.cols());
    for (Eigen::Index row = 0; row < sample.rows(); ++row)
      sums.row(static_cast<Eigen::Index>(of[static_cast<std::size_t>(row)])) += sample.row(row);
    scale_to_unit_length(sums);
    for (Eigen::Index c = 0; c < sums.rows(); ++c) {
      if (sums.row(c).squaredNorm() > 0.0F) centroids.row(c) = sums.row(c);
    }
  }
  return centroids;
}

/// `count` row numbers, evenly spread over `rows`.
Rows spread(std::size_t rows, std::size_t count) {
  Rows chosen(std::min(rows, count));
  for (std::size_t i = 0; i < chosen.size(); ++i) chosen[i] = static_cast<RowIndex>(i * rows / chosen.size());
  return chosen;
}

Neighbours compare_all(const Matrix& unit_rows, std::span<const RowIndex> queries, std::size_t most,
                       const NeighbourSearch& search, Workers& workers, Meter& meter) {
  const auto n = static_cast<std::size_t>(unit_rows.rows());
  Neighbours result{most, Rows(n * most, -1), std::vector<float>(n * most), {}};
  in_tasks(queries, workers, [&](std::span<const RowIndex> which) {
    Nearest nearest(which.size(), most);
    compare_with_all(unit_rows, gathered(unit_rows, which), which, search, meter, nearest);
    keep(result, nearest, which);
  });
  return result;
}

/// The clusters and their rows.
struct InvertedFile {
  std::vector<Rows> members;                     // of each cluster
  std::vector<std::vector<std::size_t>> probed;  // for each cluster: the clusters that are compared with it
};

InvertedFile inverted_file(const Matrix& centroids, const std::vector<std::size_t>& cluster_of) {
  const auto clusters = static_cast<std::size_t>(centroids.rows());
  InvertedFile file{std::vector<Rows>(clusters), std::vector<std::vector<std::size_t>>(clusters)};
  for (std::size_t row = 0; row < cluster_of.size(); ++row)
    file.members[cluster_of[row]].push_back(static_cast<RowIndex>(row));
  Matrix cosines(centroids.rows(), centroids.rows());
  multiply(blas_block(centroids), blas_block(centroids, true), blas_block(cosines));
  for (std::size_t c = 0; c < clusters; ++c) {
    std::vector<std::size_t> order(clusters);
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto row = cosines.row(static_cast<Eigen::Index>(c));
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return row(static_cast<Eigen::Index>(a)) > row(static_cast<Eigen::Index>(b));
    });
    order.resize(std::min(kClustersProbed, clusters));
    file.probed[c] = std::move(order);
  }
  return file;
}

std::size_t comparisons(const InvertedFile& file) {
  std::size_t sum = 0;
  for (std::size_t c = 0; c < file.members.size(); ++c) {
    for (const std::size_t other : file.probed[c]) sum += file.members[c].size() * file.members[other].size();
  }
  return sum;
}

Neighbours ask_index(const Matrix& unit_rows, const InvertedFile& file, std::size_t most,
                     const NeighbourSearch& search, Workers& workers, Meter& meter) {
  const auto n = static_cast<std::size_t>(unit_rows.rows());
  Neighbours result{most, Rows(n * most, -1), std::vector<float>(n * most), {}};
  workers.for_each(file.members.size(), [&](std::size_t cluster) {
    const std::span<const RowIndex> members = file.members[cluster];
    const auto size = static_cast<std::size_t>(kQueries);
    for (std::size_t first = 0; first < members.size(); first += size) {
      const std::span<const RowIndex> which = members.subspan(first, std::min(size, members.size() - first));
      const Matrix queries = gathered(unit_rows, which);
      Nearest nearest(which.size(), most);
      for (const std::size_t other : file.probed[cluster]) {
        const std::span<const RowIndex> all = file.members[other];
        for (std::size_t begin = 0; begin < all.size(); begin += static_cast<std::size_t>(kCandidates)) {
          search.cancellation.check();
          const std::span<const RowIndex> candidates =
              all.subspan(begin, std::min(static_cast<std::size_t>(kCandidates), all.size() - begin));
          const Matrix rows = gathered(unit_rows, candidates);
          Matrix cosines(queries.rows(), rows.rows());
          multiply(blas_block(queries), blas_block(rows, true), blas_block(cosines));
          for (std::size_t i = 0; i < which.size(); ++i) {
            nearest.offer(i, which[i], cosines.row(static_cast<Eigen::Index>(i)).data(), candidates);
          }
          meter.add(which.size() * candidates.size());
        }
      }
      keep(result, nearest, which);
    }
  });
  return result;
}

/// The share of the true neighbours of a sample that `found` has. Others that are as near count as true.
double recall_of(const Neighbours& found, const Neighbours& truth, std::span<const RowIndex> sample) {
  std::size_t hits = 0;
  for (const RowIndex row : sample) {
    const std::size_t at = static_cast<std::size_t>(row) * found.most;
    const float farthest = truth.cosines[at + found.most - 1];
    for (std::size_t i = at; i < at + found.most; ++i) {
      if (found.rows[i] >= 0 && found.cosines[i] >= farthest - kSameCosine) ++hits;
    }
  }
  return static_cast<double>(hits) / static_cast<double>(sample.size() * found.most);
}

}  // namespace

Neighbours nearest_neighbours(const Matrix& unit_rows, const NeighbourSearch& search) {
  const auto n = static_cast<std::size_t>(unit_rows.rows());
  const std::size_t most = std::min(search.most, n - std::min<std::size_t>(n, 1));
  if (most == 0) return {};
  Workers workers(search.threads, search.cancellation);
  if (n <= search.compare_all) {
    Meter meter(search, n * n);
    return compare_all(unit_rows, spread(n, n), most, search, workers, meter);
  }
  const auto clusters = static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(n))));
  const Rows looked_at = spread(n, clusters * kSampleOfCluster);
  // The rows of a cluster are about as many as the clusters.
  const std::size_t of_sample = std::min(kRecallRows, n) * n;
  Meter meter(search, looked_at.size() * clusters * kRoundsOfMeans + n * clusters +
                          n * clusters * kClustersProbed + of_sample);
  const Matrix centroids = cluster_means(gathered(unit_rows, looked_at), clusters, workers, meter);
  const InvertedFile file = inverted_file(centroids, assign(unit_rows, centroids, workers, meter));
  meter.expect(comparisons(file) + of_sample);
  Neighbours result = ask_index(unit_rows, file, most, search, workers, meter);
  const Rows sample = spread(n, kRecallRows);
  result.recall = recall_of(result, compare_all(unit_rows, sample, most, search, workers, meter), sample);
  return result;
}

std::size_t neighbour_bytes(std::size_t rows, std::size_t columns, std::size_t most, int threads) {
  const std::size_t found = rows * most * (sizeof(RowIndex) + sizeof(float));
  const auto block = static_cast<std::size_t>(kQueries + kCandidates) * columns +
                     static_cast<std::size_t>(kQueries * kCandidates);
  const std::size_t blocks = static_cast<std::size_t>(std::max(threads, 1)) * block * sizeof(float);
  if (rows <= kMostComparedRows) return found + blocks;
  const auto clusters = static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(rows))));
  // Twice what was found: the sample's true neighbours are kept in the same form.
  return 2 * found + blocks + clusters * (kSampleOfCluster + 2) * columns * sizeof(float) +
         clusters * clusters * sizeof(float) + rows * (sizeof(std::size_t) + sizeof(RowIndex));
}

}  // namespace headstart

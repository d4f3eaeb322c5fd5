// pipeline/process/product_speed.cpp
#include "pipeline/process/product_speed.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

#include "head/layers/dense_product.hpp"
#include "head/layers/solver.hpp"
#include "head/workers.hpp"

namespace headstart {

double speed_of_a_thread(int threads) {
  using Clock = std::chrono::steady_clock;
  constexpr Eigen::Index kRows = 192;
  constexpr Eigen::Index kInner = 512;
  constexpr Eigen::Index kColumns = 256;
  constexpr double kFlops = 2.0 * kRows * kInner * kColumns;
  Workers workers(threads);
  std::vector<double> fastest(static_cast<std::size_t>(workers.threads()), 1e9);
  workers.for_each(fastest.size(), [&](std::size_t thread) {
    const Matrix a = Matrix::Constant(kRows, kInner, 1.0F);
    const Matrix b = Matrix::Constant(kInner, kColumns, 1.0F);
    Matrix c = Matrix::Zero(kRows, kColumns);
    for (int repetition = 0; repetition < 10; ++repetition) {
      const auto start = Clock::now();
      add_product(a, b, c);
      fastest[thread] =
          std::min(fastest[thread], std::chrono::duration<double>(Clock::now() - start).count());
    }
  });
  return kFlops / *std::max_element(fastest.begin(), fastest.end()) / kDenseFlops;
}

}  // namespace headstart

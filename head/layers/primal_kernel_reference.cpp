// head/layers/primal_kernel_reference.cpp: the solvers' compute routines as plain formulas.
#include "head/layers/primal_kernel.hpp"

namespace headstart {
namespace {

double update(const TileUpdate& tile) noexcept {
  double squared_norm = 0.0;
  for (std::size_t i = 0; i + 1 < tile.offsets.size(); ++i) {
    const auto begin = static_cast<std::size_t>(tile.offsets[i]);
    const auto end = static_cast<std::size_t>(tile.offsets[i + 1]);
    for (std::size_t c = 0; c < tile.width; ++c) {
      float& w = tile.kernel[i * tile.width + c];
      float& v = tile.velocity[i * tile.width + c];
      float gradient = 0.0F;
      for (const BatchEntry& entry : tile.entries.subspan(begin, end - begin)) {
        gradient += entry.value * tile.dz[static_cast<std::size_t>(entry.row) * tile.width + c];
      }
      gradient += tile.two_l2 * w;
      v = tile.momentum * v - tile.learning_rate * gradient;
      w += tile.nesterov ? tile.momentum * v - tile.learning_rate * gradient : v;
      squared_norm += static_cast<double>(w) * static_cast<double>(w);
    }
  }
  return squared_norm;
}

void add_product_plainly(const TileProduct& tile) noexcept {
  for (std::size_t c = 0; c < tile.width; ++c) {
    float sum = 0.0F;
    for (std::size_t k = 0; k < tile.indices.size(); ++k) {
      const auto feature = static_cast<std::size_t>(tile.indices[k] - tile.first_feature);
      sum += tile.values[k] * tile.kernel[feature * tile.width + c];
    }
    tile.z[c] += sum;
  }
}

KernelNorms combine(const TileCombination& tile) noexcept {
  KernelNorms norms;
  for (std::size_t i = 0; i + 1 < tile.offsets.size(); ++i) {
    const auto begin = static_cast<std::size_t>(tile.offsets[i]);
    const auto end = static_cast<std::size_t>(tile.offsets[i + 1]);
    for (std::size_t c = 0; c < tile.width; ++c) {
      float& w = tile.kernel[i * tile.width + c];
      float& v = tile.velocity[i * tile.width + c];
      float to_w = 0.0F;
      float to_v = 0.0F;
      for (const WeightedEntry& entry : tile.entries.subspan(begin, end - begin)) {
        const float dz = tile.dz[static_cast<std::size_t>(entry.row) * tile.width + c];
        to_w += entry.to_kernel * dz;
        to_v += entry.to_velocity * dz;
      }
      const float new_v = tile.velocity_from_kernel * w + tile.velocity_from_velocity * v + to_v;
      w += tile.kernel_from_kernel * w + tile.kernel_from_velocity * v + to_w;
      v = new_v;
      norms.w_w += static_cast<double>(w) * static_cast<double>(w);
      norms.w_v += static_cast<double>(w) * static_cast<double>(v);
      norms.v_v += static_cast<double>(v) * static_cast<double>(v);
    }
  }
  return norms;
}

void add_products_plainly(const TileProductPair& tile) noexcept {
  add_product_plainly({tile.kernel, tile.width, tile.first_feature, tile.indices, tile.values, tile.z});
  add_product_plainly({tile.velocity, tile.width, tile.first_feature, tile.indices, tile.values, tile.y});
}

}  // namespace

PrimalKernel reference_primal_kernel() noexcept {
  return {"reference", update, add_product_plainly, combine, add_products_plainly};
}

}  // namespace headstart

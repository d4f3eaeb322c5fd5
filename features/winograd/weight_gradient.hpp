// features/winograd/weight_gradient.hpp: dLoss/dW of a 3x3 convolution by the adjoint of F(m,3): where the
// way up computes A^T [(G W G^T) * (B^T d B)] A for each tile d of the inputs, with the tile D of
// dLoss/d(sums)
//   dU = sum over tiles of (B^T d B) * (A D A^T),  dW = G^T dU G,
// so that m^2 positions take (m + 2)^2 products here as well.
// Invariant: the order of all sums is fixed; the bits depend neither on the threads nor, with FMA, on the
// width of the vectors.
#pragma once

#include <cstddef>
#include <span>

#include "features/winograd/activation_map.hpp"
#include "features/winograd/kernels.hpp"
#include "features/winograd/method.hpp"
#include "features/winograd/tiles.hpp"
#include "features/winograd/workspace.hpp"

namespace headstart::winograd {

class WeightGradient {
 public:
  /// @param method    `images` at a time; their order is part of the result's bits
  /// @param source    what the convolution reads
  /// @param gradient  as the source of F(m,3), of as many rows and columns
  WeightGradient(const Kernels& kernels, const Method& method, int images, const ActivationMap& source,
                 const ActivationMap& gradient);

  [[nodiscard]] WorkspaceSize workspace() const noexcept;

  /// Of all images together, inside of Workspace::execute().
  /// @param kernel  [3, 3, in, out], HWIO
  void run(const float* source, const float* gradient, std::span<float> kernel, Workspace& workspace) const;

 private:
  [[nodiscard]] std::size_t in() const noexcept { return source_.blocks() * kBlock; }
  [[nodiscard]] std::size_t out() const noexcept { return gradient_.blocks() * kBlock; }
  [[nodiscard]] std::size_t groups() const noexcept { return out() / kernels_.outputs; }
  void add_products(const float* transformed, const float* gradients, std::size_t tiles, bool first,
                    float* sums, Workspace& workspace) const;

  Kernels kernels_;
  std::size_t images_;
  std::size_t images_at_once_;
  ActivationMap source_;
  ActivationMap gradient_;
  TileGrid grid_;
};

}  // namespace headstart::winograd

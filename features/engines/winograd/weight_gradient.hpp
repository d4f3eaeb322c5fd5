// features/engines/winograd/weight_gradient.hpp: dLoss/dW of a 3x3 convolution by the adjoint of F(m,3). The
// forward pass computes A^T [(G W G^T) * (B^T d B)] A for each tile d of the inputs. With the tile D of
// dLoss/d(sums), the backward pass computes
//   dU = sum over tiles of (B^T d B) * (A D A^T),  dW = G^T dU G.
// So m^2 positions take (m + 2)^2 products here, too. Invariant: the order of all sums is fixed. The result
// is exactly the same for any number of threads and, with FMA, for any width of the vectors.
#pragma once

#include <cstddef>
#include <span>

#include "features/engines/winograd/activation_map.hpp"
#include "features/engines/winograd/kernels.hpp"
#include "features/engines/winograd/method.hpp"
#include "features/engines/winograd/tiles.hpp"
#include "features/engines/winograd/workspace.hpp"

namespace headstart::winograd {

class WeightGradient {
 public:
  /// @param method    `images` at a time; the number influences the rounding of the result
  /// @param source    the convolution's input map
  /// @param gradient  like the source of F(m,3), with as many rows and columns
  WeightGradient(const Kernels& kernels, const Method& method, int images, const ActivationMap& source,
                 const ActivationMap& gradient);

  [[nodiscard]] WorkspaceSize workspace() const noexcept;

  /// The gradient of all images together. Call it inside of Workspace::execute().
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

// tests/features/blocks/reference_blocks.hpp: VGG16's top blocks forward and back as plain loops in double:
// what the trainable blocks are held against, and themselves against finite differences.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "features/blocks/trainable_blocks.hpp"
#include "features/network/known_networks.hpp"

namespace headstart::test {

using Doubles = std::vector<double>;

/// A kernel [3, 3, in, out] and its bias.
struct ReferenceLayer {
  std::size_t in = 0;
  std::size_t out = 0;
  bool ends_block = false;
  Doubles kernel;
  Doubles bias;
};

/// VGG16's convolutions from a block on.
inline std::vector<NetworkLayer> convolutions_from(int first_block) {
  std::vector<NetworkLayer> layers = convolutions(vgg16());
  std::erase_if(layers, [&](const NetworkLayer& layer) { return layer.block < first_block; });
  return layers;
}

inline std::vector<ReferenceLayer> reference_layers(std::span<const ConvolutionWeights> weights,
                                                    int first_block) {
  const std::vector<NetworkLayer> layers = convolutions_from(first_block);
  std::vector<ReferenceLayer> result;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    result.push_back({static_cast<std::size_t>(layers[i].in_channels),
                      static_cast<std::size_t>(layers[i].out_channels),
                      is_pooled(vgg16(), layers[i]),
                      {weights[i].kernel.begin(), weights[i].kernel.end()},
                      {weights[i].bias.begin(), weights[i].bias.end()}});
  }
  return result;
}

/// One row [size, size, channels] at a time.
class ReferenceBlocks {
 public:
  ReferenceBlocks(std::vector<ReferenceLayer> layers, std::size_t size)
      : layers_(std::move(layers)), size_(size) {}

  [[nodiscard]] std::vector<ReferenceLayer>& layers() { return layers_; }

  [[nodiscard]] Doubles forward(Doubles map) {
    activations_ = {std::move(map)};
    convolved_.clear();
    std::size_t size = size_;
    for (const ReferenceLayer& layer : layers_) {
      Doubles output = convolve(layer, activations_.back(), size);
      for (double& value : output) value = std::max(value, 0.0);
      convolved_.push_back(output);
      if (layer.ends_block) {
        output = pool(output, layer.out, size);
        size /= 2;
      }
      activations_.push_back(std::move(output));
    }
    return activations_.back();
  }

  /// Adds the gradients of <gradient, the last forward()> to `sums`.
  void backward(Doubles gradient, std::vector<ReferenceLayer>& sums) const {
    for (std::size_t l = layers_.size(); l-- > 0;) {
      const ReferenceLayer& layer = layers_[l];
      const std::size_t size = size_before(l);
      if (layer.ends_block) gradient = unpool(gradient, convolved_[l], layer.out, size);
      for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] *= convolved_[l][i] > 0.0 ? 1.0 : 0.0;
      gradient = convolve_back(layer, activations_[l], gradient, size, sums[l]);
    }
  }

 private:
  // Height and width of what layer l sees.
  [[nodiscard]] std::size_t size_before(std::size_t l) const {
    std::size_t size = size_;
    for (std::size_t i = 0; i < l; ++i) size /= layers_[i].ends_block ? 2U : 1U;
    return size;
  }

  /// Calls visit(position of the output, position of the input, kernel's offset / (in out)).
  template <typename Visit>
  static void for_each_tap(std::size_t size, const Visit& visit) {
    for (std::size_t y = 0; y < size; ++y) {
      for (std::size_t x = 0; x < size; ++x) {
        for (std::size_t ky = 0; ky < 3; ++ky) {
          for (std::size_t kx = 0; kx < 3; ++kx) {
            const std::size_t sy = y + ky;
            const std::size_t sx = x + kx;  // one too large, because of the padding
            if (sy < 1 || sx < 1 || sy > size || sx > size) continue;
            visit(y * size + x, (sy - 1) * size + (sx - 1), ky * 3 + kx);
          }
        }
      }
    }
  }

  static Doubles convolve(const ReferenceLayer& layer, const Doubles& input, std::size_t size) {
    Doubles output(size * size * layer.out);
    for (std::size_t p = 0; p < size * size; ++p)
      std::copy(layer.bias.begin(), layer.bias.end(),
                output.begin() + static_cast<std::ptrdiff_t>(p * layer.out));
    for_each_tap(size, [&](std::size_t to, std::size_t from, std::size_t tap) {
      for (std::size_t i = 0; i < layer.in; ++i) {
        const double value = input[from * layer.in + i];
        if (value == 0.0) continue;
        const double* const w = layer.kernel.data() + (tap * layer.in + i) * layer.out;
        double* const y = output.data() + to * layer.out;
        for (std::size_t o = 0; o < layer.out; ++o) y[o] += value * w[o];
      }
    });
    return output;
  }

  static Doubles convolve_back(const ReferenceLayer& layer, const Doubles& input, const Doubles& gradient,
                               std::size_t size, ReferenceLayer& sums) {
    for (std::size_t p = 0; p < size * size; ++p) {
      for (std::size_t o = 0; o < layer.out; ++o) sums.bias[o] += gradient[p * layer.out + o];
    }
    Doubles below(input.size());
    for_each_tap(size, [&](std::size_t to, std::size_t from, std::size_t tap) {
      const double* const g = gradient.data() + to * layer.out;
      for (std::size_t i = 0; i < layer.in; ++i) {
        const std::size_t row = (tap * layer.in + i) * layer.out;
        const double value = input[from * layer.in + i];
        double sum = 0.0;
        for (std::size_t o = 0; o < layer.out; ++o) {
          sum += layer.kernel[row + o] * g[o];
          sums.kernel[row + o] += value * g[o];
        }
        below[from * layer.in + i] += sum;
      }
    });
    return below;
  }

  static Doubles pool(const Doubles& input, std::size_t channels, std::size_t size) {
    const std::size_t half = size / 2;
    Doubles output(half * half * channels);
    for (std::size_t p = 0; p < half * half; ++p) {
      for (std::size_t c = 0; c < channels; ++c)
        output[p * channels + c] = input[largest(input, channels, size, p, c)];
    }
    return output;
  }

  static Doubles unpool(const Doubles& gradient, const Doubles& input, std::size_t channels,
                        std::size_t size) {
    Doubles below(input.size());
    const std::size_t half = size / 2;
    for (std::size_t p = 0; p < half * half; ++p) {
      for (std::size_t c = 0; c < channels; ++c)
        below[largest(input, channels, size, p, c)] += gradient[p * channels + c];
    }
    return below;
  }

  /// Where the first largest value of a window is.
  static std::size_t largest(const Doubles& input, std::size_t channels, std::size_t size, std::size_t window,
                             std::size_t channel) {
    const std::size_t y = window / (size / 2) * 2;
    const std::size_t x = window % (size / 2) * 2;
    std::size_t best = (y * size + x) * channels + channel;
    for (std::size_t k = 1; k < 4; ++k) {
      const std::size_t at = ((y + k / 2) * size + x + k % 2) * channels + channel;
      if (input[at] > input[best]) best = at;
    }
    return best;
  }

  std::vector<ReferenceLayer> layers_;
  std::size_t size_;
  std::vector<Doubles> activations_;  // what each layer sees, then the output
  std::vector<Doubles> convolved_;    // after ReLU, before a pool
};

}  // namespace headstart::test

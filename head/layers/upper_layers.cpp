// head/layers/upper_layers.cpp
#include "head/layers/upper_layers.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <stdexcept>

#include "head/layers/dense_product.hpp"
#include "head/random.hpp"

namespace headstart {
namespace {

double squared_norm_above_first(const std::vector<Dense>& layers) {
  double sum = 0.0;
  for (std::size_t l = 1; l < layers.size(); ++l) sum += layers[l].kernel.cast<double>().squaredNorm();
  return sum;
}

// out = activations kernel + bias. The result of a row does not depend on the other rows.
void affine(const Matrix& activations, const Dense& layer, Matrix& out) {
  out = layer.bias.replicate(activations.rows(), 1);
  add_product(activations, layer.kernel, out);
}

void apply_relu(Matrix& activations) { activations = activations.cwiseMax(0.0F); }

void apply(const Dropout& dropout, Random& random, float kept_scale, Matrix& activations) {
  const auto rate = static_cast<float>(dropout.rate);
  for (Eigen::Index i = 0; i < activations.size(); ++i) {
    float& activation = activations.data()[i];
    activation = random.uniform() < rate ? 0.0F : activation * kept_scale;
  }
}

// gradient *= kept_scale where the activation passed ReLU and dropout, else 0. A mask is faster, because a
// condition would mispredict half of its branches.
void gate(const Matrix& activations, float kept_scale, Matrix& gradient) {
  const float* const a = activations.data();
  float* const g = gradient.data();
  for (Eigen::Index i = 0; i < gradient.size(); ++i) {
    const std::uint32_t mask = a[i] > 0.0F ? ~0U : 0U;
    g[i] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(kept_scale * g[i]) & mask);
  }
}

RowVector sum_of_rows(const Matrix& matrix) {
  RowVector sum = RowVector::Zero(matrix.cols());
  for (Eigen::Index r = 0; r < matrix.rows(); ++r) sum += matrix.row(r);
  return sum;
}

// One SGD step of a kernel or a bias.
template <typename Array>
void move(Array& array, Array& velocity, const Array& gradient, const SgdStep& sgd) {
  const auto learning_rate = static_cast<float>(sgd.learning_rate);
  const auto momentum = static_cast<float>(sgd.momentum);
  velocity = momentum * velocity - learning_rate * gradient;
  if (sgd.nesterov) {
    array += momentum * velocity - learning_rate * gradient;
  } else {
    array += velocity;
  }
}

}  // namespace

UpperLayers::UpperLayers(std::span<const Dense> layers)
    : activations_(layers.size()), gradients_(layers.size()) {
  layers_.push_back({Matrix(), layers.front().bias});
  layers_.insert(layers_.end(), layers.begin() + 1, layers.end());
  for (const Dense& layer : layers_) {
    velocities_.push_back(
        {Matrix::Zero(layer.kernel.rows(), layer.kernel.cols()), RowVector::Zero(layer.bias.size())});
  }
  squared_norm_ = squared_norm_above_first(layers_);
}

void UpperLayers::restore(std::span<const Dense> layers, std::span<const Dense> velocities) {
  const auto same_shape = [](const Dense& a, const Dense& b) {
    return a.kernel.rows() == b.kernel.rows() && a.kernel.cols() == b.kernel.cols() &&
           a.bias.size() == b.bias.size();
  };
  for (const std::span<const Dense> given : {layers, velocities}) {
    if (!std::equal(given.begin(), given.end(), layers_.begin(), layers_.end(), same_shape))
      throw std::invalid_argument("upper layers: the state is of layers of other shapes");
  }
  layers_.assign(layers.begin(), layers.end());
  velocities_.assign(velocities.begin(), velocities.end());
  squared_norm_ = squared_norm_above_first(layers_);
}

Matrix& UpperLayers::forward(const Eigen::Ref<const Matrix>& z, const Dropout& dropout) {
  Random random(dropout.seed);
  kept_scale_ = static_cast<float>(1.0 / (1.0 - dropout.rate));
  activations_.front() = z.rowwise() + layers_.front().bias;  // [rows, width]
  for (std::size_t l = 1; l < layers_.size(); ++l) {
    apply_relu(activations_[l - 1]);
    if (dropout.rate > 0.0) apply(dropout, random, kept_scale_, activations_[l - 1]);
    affine(activations_[l - 1], layers_[l], activations_[l]);
  }
  return activations_.back();
}

const Matrix& UpperLayers::backward(const Matrix& dlogits) {
  gradients_.back() = dlogits;
  for (std::size_t l = layers_.size() - 1; l > 0; --l) {
    const Matrix transposed = layers_[l].kernel.transpose();
    gradients_[l - 1].setZero(gradients_[l].rows(), transposed.cols());
    add_product(gradients_[l], transposed, gradients_[l - 1]);
    gate(activations_[l - 1], kept_scale_, gradients_[l - 1]);
  }
  return gradients_.front();
}

Matrix UpperLayers::kernel_gradient(std::size_t layer, double l2) const {
  Matrix gradient = static_cast<float>(2.0 * l2) * layers_[layer].kernel;
  add_transposed_product(activations_[layer - 1], gradients_[layer], gradient);
  return gradient;
}

double UpperLayers::gradient_squared_norm(double l2) const {
  double sum = 0.0;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    sum += sum_of_rows(gradients_[l]).cast<double>().squaredNorm();
    if (l > 0) sum += kernel_gradient(l, l2).cast<double>().squaredNorm();
  }
  return sum;
}

void UpperLayers::scale_gradients(double scale) {
  for (Matrix& gradient : gradients_) gradient *= static_cast<float>(scale);
}

void UpperLayers::step(const SgdStep& sgd) {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const RowVector bias_gradient = sum_of_rows(gradients_[l]);
    move(layers_[l].bias, velocities_[l].bias, bias_gradient, sgd);
    if (l == 0) continue;
    move(layers_[l].kernel, velocities_[l].kernel, kernel_gradient(l, sgd.l2), sgd);
  }
  squared_norm_ = squared_norm_above_first(layers_);
}

}  // namespace headstart

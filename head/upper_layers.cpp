// head/upper_layers.cpp
#include "head/upper_layers.hpp"

namespace headstart {
namespace {

double squared_norm_above_first(const std::vector<Dense>& layers) {
  double sum = 0.0;
  for (std::size_t l = 1; l < layers.size(); ++l) sum += layers[l].kernel.cast<double>().squaredNorm();
  return sum;
}

// out = activations kernel + bias. Row by row, because Eigen picks its order of sums by the number of rows,
// and a row's bits must not depend on the rows beside it. ReLU's zeros are skipped; as fast as Eigen's
// product at 1,024 x 10.
void affine(const Matrix& activations, const Dense& layer, Matrix& out) {
  out.resize(activations.rows(), layer.kernel.cols());
  for (Eigen::Index r = 0; r < activations.rows(); ++r) {
    out.row(r).setZero();
    for (Eigen::Index k = 0; k < activations.cols(); ++k) {
      const float a = activations(r, k);
      if (a != 0.0F) out.row(r) += a * layer.kernel.row(k);
    }
    out.row(r) += layer.bias;
  }
}

// One SGD step of a kernel or bias.
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

Matrix& UpperLayers::forward(const Eigen::Ref<const Matrix>& z) {
  activations_.front() = z.rowwise() + layers_.front().bias;  // [rows, width]
  for (std::size_t l = 1; l < layers_.size(); ++l) {
    activations_[l - 1] = activations_[l - 1].cwiseMax(0.0F);
    affine(activations_[l - 1], layers_[l], activations_[l]);
  }
  return activations_.back();
}

const Matrix& UpperLayers::step(const Matrix& dlogits, const SgdStep& sgd) {
  gradients_.back() = dlogits;
  for (std::size_t l = layers_.size() - 1; l > 0; --l) {
    gradients_[l - 1].noalias() = gradients_[l] * layers_[l].kernel.transpose();
    gradients_[l - 1] = (activations_[l - 1].array() > 0.0F).select(gradients_[l - 1], 0.0F);
  }
  const auto two_l2 = static_cast<float>(2.0 * sgd.l2);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const RowVector bias_gradient = gradients_[l].colwise().sum();
    move(layers_[l].bias, velocities_[l].bias, bias_gradient, sgd);
    if (l == 0) continue;
    Matrix kernel_gradient = two_l2 * layers_[l].kernel;
    kernel_gradient.noalias() += activations_[l - 1].transpose() * gradients_[l];
    move(layers_[l].kernel, velocities_[l].kernel, kernel_gradient, sgd);
  }
  squared_norm_ = squared_norm_above_first(layers_);
  return gradients_.front();
}

}  // namespace headstart

// head/layers/dense_weights.cpp
#include "head/layers/dense_weights.hpp"

#include <algorithm>

namespace headstart {
namespace {

constexpr std::size_t kSlabBytes = std::size_t{256} << 10;  // of W and V: half of a small L2
constexpr Eigen::Index kLeastOutputs = 12;                  // of a slab, so that its tiles are whole

Eigen::Index outputs_of_slab(std::size_t stride) {
  const auto outputs = static_cast<Eigen::Index>(kSlabBytes / (2 * sizeof(float) * stride));
  return std::max(kLeastOutputs, outputs / kLeastOutputs * kLeastOutputs);
}

}  // namespace

std::int64_t dense_slabs(std::int64_t features, std::int64_t outputs) noexcept {
  const std::int64_t width = outputs_of_slab(padded_features(features));
  return (outputs + width - 1) / width;
}

DenseWeights::DenseWeights(const Matrix& kernel, const DenseRoutines& routines)
    : routines_(routines),
      features_(kernel.rows()),
      outputs_(kernel.cols()),
      stride_(padded_features(kernel.rows())),
      weights_(static_cast<std::size_t>(outputs_) * stride_),
      velocity_(static_cast<std::size_t>(outputs_) * stride_) {
  std::fill(weights_.span().begin(), weights_.span().end(), 0.0F);
  std::fill(velocity_.span().begin(), velocity_.span().end(), 0.0F);
  const Eigen::Index width = outputs_of_slab(stride_);
  for (Eigen::Index first = 0; first < outputs_; first += width) {
    slabs_.push_back({.first = first, .outputs = std::min(width, outputs_ - first), .dz = {}});
    Slab& slab = slabs_.back();
    for (Eigen::Index output = first; output < first + slab.outputs; ++output) {
      for (Eigen::Index i = 0; i < features_; ++i) {
        const float w = kernel(i, output);
        weights_.span()[static_cast<std::size_t>(output) * stride_ + static_cast<std::size_t>(i)] = w;
        slab.squared_norm += static_cast<double>(w) * static_cast<double>(w);
      }
    }
  }
}

double DenseWeights::squared_norm() const noexcept {
  double sum = 0.0;
  for (const Slab& slab : slabs_) sum += slab.squared_norm;
  return sum;
}

void DenseWeights::forward(std::size_t index, const GatheredRows& rows, Eigen::Ref<Matrix> z) const {
  const Slab& slab = slabs_[index];
  routines_.forward({.x = rows.x,
                     .x_stride = gathered_stride(features_),
                     .weights = weights_.span().data() + place(slab),
                     .stride = stride_,
                     .rows = rows.rows,
                     .outputs = static_cast<std::size_t>(slab.outputs),
                     .z = z.data() + slab.first,
                     .z_stride = static_cast<std::size_t>(z.outerStride())});
}

void DenseWeights::step(std::size_t index, const GatheredRows& rows, const Eigen::Ref<const Matrix>& dz,
                        const SgdStep& sgd) {
  Slab& slab = slabs_[index];
  const auto floats = static_cast<std::size_t>(dz.rows() * slab.outputs);
  if (slab.dz.span().size() < floats) slab.dz = AlignedFloats(floats);
  Eigen::Map<Matrix>(slab.dz.span().data(), dz.rows(), slab.outputs) =
      dz.middleCols(slab.first, slab.outputs);
  slab.squared_norm = routines_.update({.x = rows.x,
                                        .x_stride = gathered_stride(features_),
                                        .stride = stride_,
                                        .rows = rows.rows,
                                        .dz = slab.dz.span().data(),
                                        .outputs = static_cast<std::size_t>(slab.outputs),
                                        .weights = weights_.span().data() + place(slab),
                                        .velocity = velocity_.span().data() + place(slab),
                                        .learning_rate = static_cast<float>(sgd.learning_rate),
                                        .momentum = static_cast<float>(sgd.momentum),
                                        .two_l2 = static_cast<float>(2.0 * sgd.l2),
                                        .nesterov = sgd.nesterov});
}

Matrix DenseWeights::kernel() const {
  const Eigen::Map<const Matrix> padded(weights_.span().data(), outputs_, static_cast<Eigen::Index>(stride_));
  return padded.leftCols(features_).transpose();
}

std::vector<double> DenseWeights::squared_norms() const {
  std::vector<double> norms;
  for (const Slab& slab : slabs_) norms.push_back(slab.squared_norm);
  return norms;
}

void DenseWeights::restore(std::span<const float> weights, std::span<const float> velocity,
                           std::span<const double> squared_norms) {
  // A caller may give back a part of these weights themselves.
  if (weights.data() != weights_.span().data())
    std::copy(weights.begin(), weights.end(), weights_.span().begin());
  if (velocity.data() != velocity_.span().data())
    std::copy(velocity.begin(), velocity.end(), velocity_.span().begin());
  for (std::size_t s = 0; s < slabs_.size(); ++s) slabs_[s].squared_norm = squared_norms[s];
}

}  // namespace headstart

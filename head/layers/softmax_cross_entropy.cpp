// head/layers/softmax_cross_entropy.cpp
#include "head/layers/softmax_cross_entropy.hpp"

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

namespace headstart {
namespace {

void check(const Eigen::Ref<Matrix>& z, std::span<const std::int32_t> labels, const LossOptions& options) {
  if (static_cast<std::size_t>(z.rows()) != labels.size()) {
    throw std::invalid_argument("loss: " + std::to_string(z.rows()) + " rows of logits, but " +
                                std::to_string(labels.size()) + " labels");
  }
  if (!options.class_weights.empty() && options.class_weights.size() != static_cast<std::size_t>(z.cols())) {
    throw std::invalid_argument("loss: " + std::to_string(options.class_weights.size()) +
                                " class weights, needed " + std::to_string(z.cols()));
  }
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] < 0 || labels[row] >= z.cols()) {
      throw std::invalid_argument("loss: label " + std::to_string(labels[row]) + " of row " +
                                  std::to_string(row) + " is out of range: needed 0 to " +
                                  std::to_string(z.cols() - 1));
    }
  }
}

}  // namespace

void softmax(Eigen::Ref<Matrix> z) {
  for (Eigen::Index r = 0; r < z.rows(); ++r) {
    const double largest = static_cast<double>(z.row(r).maxCoeff());
    double sum = 0.0;
    for (Eigen::Index c = 0; c < z.cols(); ++c) sum += std::exp(static_cast<double>(z(r, c)) - largest);
    for (Eigen::Index c = 0; c < z.cols(); ++c) {
      z(r, c) = static_cast<float>(std::exp(static_cast<double>(z(r, c)) - largest) / sum);
    }
  }
}

BatchLoss softmax_cross_entropy(Eigen::Ref<Matrix> z, std::span<const std::int32_t> labels,
                                const LossOptions& options) {
  check(z, labels, options);
  const double even_share = options.label_smoothing / static_cast<double>(z.cols());
  std::vector<double> exponentials(static_cast<std::size_t>(z.cols()));  // exp takes most of the time
  BatchLoss result;
  for (Eigen::Index r = 0; r < z.rows(); ++r) {
    const Eigen::Index label = labels[static_cast<std::size_t>(r)];
    const double weight = options.class_weights.empty()
                              ? 1.0
                              : static_cast<double>(options.class_weights[static_cast<std::size_t>(label)]);
    Eigen::Index best = 0;
    const double largest = static_cast<double>(z.row(r).maxCoeff(&best));
    double sum = 0.0;
    double target_logit = 0.0;  // sum over classes of target * (z - largest)
    for (Eigen::Index c = 0; c < z.cols(); ++c) {
      const double logit = static_cast<double>(z(r, c)) - largest;
      const double target = (c == label ? 1.0 - options.label_smoothing : 0.0) + even_share;
      exponentials[static_cast<std::size_t>(c)] = std::exp(logit);
      sum += exponentials[static_cast<std::size_t>(c)];
      // Skip classes with target 0: otherwise a logit of minus infinity would give 0 * -inf.
      if (target > 0.0) target_logit += target * logit;
    }
    result.loss += weight * (std::log(sum) - target_logit);
    if (best == label) ++result.correct;
    for (Eigen::Index c = 0; c < z.cols(); ++c) {
      const double probability = exponentials[static_cast<std::size_t>(c)] / sum;
      const double target = (c == label ? 1.0 - options.label_smoothing : 0.0) + even_share;
      z(r, c) = static_cast<float>(weight * (probability - target) / static_cast<double>(z.rows()));
    }
  }
  return result;
}

}  // namespace headstart

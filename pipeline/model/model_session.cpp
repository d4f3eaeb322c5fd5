// pipeline/model/model_session.cpp
#include "pipeline/model/model_session.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "data/image/view.hpp"
#include "pipeline/rows/represented_rows.hpp"

namespace headstart {
namespace {

/// Turns every row of logits into the logarithms of its probabilities, in place.
void log_softmax(Matrix& z) {
  for (Eigen::Index row = 0; row < z.rows(); ++row) {
    auto values = z.row(row).array();
    values -= values.maxCoeff();
    values -= std::log(values.exp().sum());
  }
}

/// log(exp(a) + exp(b)).
float log_of_sum(float a, float b) { return std::max(a, b) + std::log1p(std::exp(-std::abs(a - b))); }

}  // namespace

StageOneOptions options_of(const Model& model, StageOneOptions options) {
  options.images.resize = model.configuration.resize;
  options.images.decode.alpha = model.configuration.alpha;
  options.images.decode.ignore_exif = model.configuration.ignore_exif;
  options.images.decode.range = model.configuration.range;
  options.storage = model.configuration.storage;
  return options;
}

Matrix predict(const Model& model, StageOne& stage_one, std::span<const Sha256> keys) {
  return model_logits(cached_rows(stage_one, keys), all_rows(keys.size()), model.representation, model.head);
}

Matrix predict_with_views(const Model& model, StageOne& stage_one,
                          std::span<const ImageResult* const> images) {
  std::vector<Sha256> keys;
  keys.reserve(images.size());
  for (const ImageResult* image : images) keys.push_back(image->content.value());
  Matrix mean = predict(model, stage_one, keys);
  std::size_t views = 0;
  for (const ImageResult* image : images) views = std::max(views, image->views.size());
  if (views == 0) return mean;

  // Works view by view, so that only one row of each image is in memory. Works in logarithms, so that a
  // cross-entropy of the result is right even for a very improbable class.
  log_softmax(mean);
  std::vector<float> rows(images.size(), 1.0F);
  for (std::size_t view = 0; view < views; ++view) {
    std::vector<std::size_t> having;
    keys.clear();
    for (std::size_t i = 0; i < images.size(); ++i) {
      const std::vector<ImageStatus>& fates = images[i]->views;
      if (view >= fates.size() || !has_row(fates[view])) continue;
      having.push_back(i);
      keys.push_back(view_key(images[i]->content.value(), view + 1));
    }
    if (keys.empty()) continue;
    Matrix of_view = predict(model, stage_one, keys);
    log_softmax(of_view);
    for (std::size_t i = 0; i < having.size(); ++i) {
      auto sum = mean.row(static_cast<Eigen::Index>(having[i]));
      sum = sum.binaryExpr(of_view.row(static_cast<Eigen::Index>(i)), &log_of_sum);
      rows[having[i]] += 1.0F;
    }
  }
  for (std::size_t i = 0; i < images.size(); ++i) {
    mean.row(static_cast<Eigen::Index>(i)).array() -= std::log(rows[i]);
  }
  return mean;
}

}  // namespace headstart

// pipeline/model_session.cpp
#include "pipeline/model_session.hpp"

#include <numeric>
#include <vector>

namespace headstart {

StageOneOptions options_of(const Model& model, StageOneOptions options) {
  options.images.resize = model.configuration.resize;
  options.images.decode.alpha = model.configuration.alpha;
  options.images.decode.ignore_exif = model.configuration.ignore_exif;
  return options;
}

Matrix predict(const Head& head, const StageOne& stage_one, std::span<const Sha256> keys) {
  const CsrRows features = stage_one.features(keys);
  std::vector<RowIndex> rows(keys.size());
  std::iota(rows.begin(), rows.end(), 0);
  return predict_logits(head, {features.columns, features.indptr, features.indices, features.values}, rows);
}

}  // namespace headstart

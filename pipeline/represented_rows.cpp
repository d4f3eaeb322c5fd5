// pipeline/represented_rows.cpp
#include "pipeline/represented_rows.hpp"

#include <utility>

namespace headstart {

FeatureMatrix model_rows(CsrRows cached, const ExtractorConfiguration& configuration, Tap tap,
                         const Representation& representation) {
  FeatureMatrix rows{cached.columns, std::move(cached.indptr), std::move(cached.indices),
                     std::move(cached.values)};
  if (representation.pooling != Pooling::kFlatten) {
    const int channels = tap_shape(tap, configuration.resize.size).channels;
    rows = pool(rows.view(), channels, representation.pooling, 0);
  }
  if (representation.transform != Transform::kUnit) return rows;
  return apply(fit_transform(Transform::kUnit, rows.view(), {}), std::move(rows));
}

FittedTransform fit_folded_transform(const Representation& representation, const FeatureRows& rows,
                                     std::span<const RowIndex> training) {
  const bool in_rows = representation.transform == Transform::kUnit;
  return fit_transform(in_rows ? Transform::kNone : representation.transform, rows, training);
}

RepresentedRows represent(CsrRows cached, const ExtractorConfiguration& configuration, Tap tap,
                          const Representation& representation, std::span<const RowIndex> training) {
  RepresentedRows rows;
  rows.model = model_rows(std::move(cached), configuration, tap, representation);
  rows.fitted = fit_folded_transform(representation, rows.model.view(), training);
  if (rows.fitted.transform != Transform::kNone) rows.transformed = apply(rows.fitted, rows.model.view());
  return rows;
}

}  // namespace headstart

// pipeline/prediction_text.hpp: predictions as lines of CSV or JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace headstart {

/// What predict says of one image: its most probable classes, or why there are none.
struct Prediction {
  struct Rank {
    std::int32_t label = 0;
    float probability = 0.0F;
  };

  std::string path;
  std::vector<Rank> ranks;       ///< the most probable first; empty where the image was rejected
  bool unknown = false;          ///< the first is below the threshold
  std::string explanation = {};  ///< file of the overlay, if one was asked for
  std::string error = {};        ///< why the image was rejected
};

/// How predictions are written.
struct PredictionColumns {
  std::vector<std::string> classes;
  int top_k = 1;
  std::string unknown;     ///< what stands for the class of an image below the threshold
  bool explained = false;  ///< there is a column for overlays
};

/// path,predicted,probability, then predicted_2,probability_2, ... up to top_k, explanation if there are any,
/// error.
[[nodiscard]] std::string csv_header(const PredictionColumns& columns);
[[nodiscard]] std::string csv_text(const Prediction& prediction, const PredictionColumns& columns);

/// {"path", "predicted" (null below the threshold), "predictions": [{"class", "probability"}],
/// "explanation"}, or
/// {"path", "error"}. Bytes of a path that are no UTF-8 are replaced.
[[nodiscard]] std::string json_text(const Prediction& prediction, const PredictionColumns& columns);

}  // namespace headstart

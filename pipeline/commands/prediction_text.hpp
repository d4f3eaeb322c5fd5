// pipeline/commands/prediction_text.hpp: predictions as lines of CSV or JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace headstart {

/// predict's result for one image: its most probable classes, or the reason why there are none.
struct Prediction {
  struct Rank {
    std::int32_t label = 0;
    float probability = 0.0F;
  };

  std::string path;
  std::vector<Rank> ranks;       ///< most probable first; empty if the image was rejected
  bool unknown = false;          ///< whether the first is below the threshold
  std::string explanation = {};  ///< file of the overlay, if requested
  std::string error = {};        ///< why the image was rejected
};

/// The columns and words of written predictions.
struct PredictionColumns {
  std::vector<std::string> classes;
  int top_k = 1;
  std::string unknown;     ///< the word in place of the class if an image is below the threshold
  bool explained = false;  ///< whether there is a column for overlays
};

/// path,predicted,probability, then predicted_2,probability_2, ... up to top_k, then explanation if
/// requested, then error.
[[nodiscard]] std::string csv_header(const PredictionColumns& columns);
[[nodiscard]] std::string csv_text(const Prediction& prediction, const PredictionColumns& columns);

/// {"path", "predicted" (null below the threshold), "predictions": [{"class", "probability"}],
/// "explanation"}, or
/// {"path", "error"}. Bytes of a path that are not UTF-8 are replaced.
[[nodiscard]] std::string json_text(const Prediction& prediction, const PredictionColumns& columns);

}  // namespace headstart

// pipeline/commands/prediction_text.cpp
#include "pipeline/commands/prediction_text.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "data/csv.hpp"
#include "pipeline/run/run_files.hpp"

namespace headstart {
namespace {

using Json = nlohmann::ordered_json;

const std::string& class_of(const Prediction::Rank& rank, const PredictionColumns& columns) {
  return columns.classes[static_cast<std::size_t>(rank.label)];
}

}  // namespace

std::string csv_header(const PredictionColumns& columns) {
  std::vector<std::string> fields = ranked_columns(static_cast<std::size_t>(columns.top_k));
  fields.insert(fields.begin(), "path");
  if (columns.explained) fields.emplace_back("explanation");
  fields.emplace_back("error");
  return csv_line(fields);
}

std::string csv_text(const Prediction& prediction, const PredictionColumns& columns) {
  std::vector<std::string> fields{prediction.path};
  for (const Prediction::Rank& rank : prediction.ranks) {
    const bool unknown = prediction.unknown && fields.size() == 1;
    fields.push_back(unknown ? columns.unknown : class_of(rank, columns));
    fields.push_back(fmt::format("{}", rank.probability));
  }
  fields.resize(1 + 2 * static_cast<std::size_t>(columns.top_k));
  if (columns.explained) fields.push_back(prediction.explanation);
  fields.push_back(prediction.error);
  return csv_line(fields);
}

std::string json_text(const Prediction& prediction, const PredictionColumns& columns) {
  Json json{{"path", prediction.path}};
  if (prediction.ranks.empty()) {
    json["error"] = prediction.error;
  } else {
    json["predicted"] =
        prediction.unknown ? Json(nullptr) : Json(class_of(prediction.ranks.front(), columns));
    Json ranks = Json::array();
    for (const Prediction::Rank& rank : prediction.ranks)
      ranks.push_back({{"class", class_of(rank, columns)}, {"probability", rank.probability}});
    json["predictions"] = std::move(ranks);
    if (!prediction.explanation.empty()) json["explanation"] = prediction.explanation;
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace headstart

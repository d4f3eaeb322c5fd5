// pipeline/run/run_files.cpp
#include "pipeline/run/run_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "data/csv.hpp"
#include "head/insight/metrics.hpp"

namespace headstart {
namespace {

std::string cell(const std::optional<double>& value) {
  return value ? fmt::format("{}", *value) : std::string();
}

}  // namespace

std::string history_csv(const std::vector<EpochResult>& history) {
  std::string csv = "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds\n";
  for (const EpochResult& e : history) {
    csv += fmt::format("{},{},{},{},{},{},{:.6f}\n", e.epoch + 1, e.loss, e.accuracy, cell(e.val_loss),
                       cell(e.val_accuracy), e.learning_rate, e.seconds);
  }
  return csv;
}

std::size_t ranked_classes(int asked, std::size_t classes) {
  constexpr std::size_t kMostColumns = 100;
  constexpr std::size_t kRankedOfMany = 5;
  if (asked > 0) return std::min(static_cast<std::size_t>(asked), classes);
  return classes <= kMostColumns ? 0 : kRankedOfMany;
}

std::vector<std::string> ranked_columns(std::size_t count) {
  std::vector<std::string> columns{"predicted", "probability"};
  for (std::size_t k = 2; k <= count; ++k) {
    columns.push_back(fmt::format("predicted_{}", k));
    columns.push_back(fmt::format("probability_{}", k));
  }
  return columns;
}

std::string predictions_csv(const Manifest& manifest, std::span<const std::size_t> samples,
                            const Matrix& probabilities, std::size_t ranked) {
  std::vector<std::string> header{"path", "label"};
  const std::vector<std::string> predicted = ranked_columns(ranked);
  header.insert(header.end(), predicted.begin(), predicted.end());
  if (ranked == 0) header.insert(header.end(), manifest.classes.begin(), manifest.classes.end());
  std::string csv = csv_line(header);
  std::vector<std::string> names;
  for (const std::string& name : manifest.classes) names.push_back(csv_field(name));
  const auto name_of = [&](std::int32_t label) {
    return std::string_view(names[static_cast<std::size_t>(label)]);
  };
  const auto append_to = std::back_inserter(csv);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Sample& sample = manifest.samples[samples[i]];
    const auto row = static_cast<Eigen::Index>(i);
    fmt::format_to(append_to, "{},{}", csv_field(sample.path), name_of(sample.label));
    for (const std::int32_t label :
         most_probable_classes(probabilities, row, std::max<std::size_t>(1, ranked)))
      fmt::format_to(append_to, ",{},{}", name_of(label), probabilities(row, label));
    for (Eigen::Index c = 0; ranked == 0 && c < probabilities.cols(); ++c)
      fmt::format_to(append_to, ",{}", probabilities(row, c));
    csv += '\n';
  }
  return csv;
}

std::string images_csv(const ExtractedDataset& dataset) {
  std::string csv = csv_line({"path", "label", "split", "sha256", "status", "reason"});
  for (std::size_t i = 0; i < dataset.manifest.samples.size(); ++i) {
    const Sample& sample = dataset.manifest.samples[i];
    const ImageResult& image = dataset.extraction.images[i];
    const bool rejected = image.status == ImageStatus::kRejected;
    const std::string label =
        sample.label == kNoLabel ? "" : dataset.manifest.classes[static_cast<std::size_t>(sample.label)];
    fmt::format_to(std::back_inserter(csv), "{},{},{},{},{},{}\n", csv_field(sample.path), csv_field(label),
                   rejected ? "" : to_string(sample.split), image.content ? image.content->hex() : "",
                   rejected ? "rejected" : "used", csv_field(rejected ? image.reason : image.note));
  }
  return csv;
}

std::string class_indices_json(const std::vector<std::string>& classes) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < classes.size(); ++i) json[classes[i]] = i;
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Sha256 rows_digest(const ExtractedDataset& dataset) {
  std::string lines;
  for (const std::size_t row : dataset.used) {
    const Sample& sample = dataset.manifest.samples[row];
    lines += fmt::format("{} {} {}\n", dataset.content[row]->hex(), to_string(sample.split), sample.label);
  }
  return sha256(lines);
}

}  // namespace headstart

// pipeline/run/run_files.cpp
#include "pipeline/run/run_files.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

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

std::string predictions_csv(const Manifest& manifest, std::span<const std::size_t> samples,
                            const Matrix& probabilities) {
  std::vector<std::string> header{"path", "label", "predicted", "probability"};
  header.insert(header.end(), manifest.classes.begin(), manifest.classes.end());
  std::string csv = csv_line(header);
  const std::vector<std::int32_t> predicted = predicted_classes(probabilities);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Sample& sample = manifest.samples[samples[i]];
    const auto row = static_cast<Eigen::Index>(i);
    std::vector<std::string> fields{sample.path, manifest.classes[static_cast<std::size_t>(sample.label)],
                                    manifest.classes[static_cast<std::size_t>(predicted[i])],
                                    fmt::format("{}", probabilities(row, predicted[i]))};
    for (Eigen::Index c = 0; c < probabilities.cols(); ++c)
      fields.push_back(fmt::format("{}", probabilities(row, c)));
    csv += csv_line(fields);
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
    csv += csv_line({sample.path, label, std::string(rejected ? "" : to_string(sample.split)),
                     image.content ? image.content->hex() : "", rejected ? "rejected" : "used",
                     rejected ? image.reason : image.note});
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

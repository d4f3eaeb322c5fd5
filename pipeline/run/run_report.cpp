// pipeline/run/run_report.cpp
#include "pipeline/run/run_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <set>
#include <utility>

#include "data/error.hpp"
#include "head/insight/metrics.hpp"
#include "head/insight/nearest_rows.hpp"
#include "head/insight/principal_components.hpp"
#include "head/layers/softmax_cross_entropy.hpp"
#include "head/row_blocks.hpp"
#include "pipeline/report/pictures.hpp"
#include "pipeline/rows/represented_rows.hpp"
#include "pipeline/run/inspection.hpp"
#include "pipeline/run/inspection_report.hpp"

namespace headstart {
namespace {

constexpr std::size_t kExampleClasses = 20;  // up to this number of classes, a class has several examples
constexpr std::size_t kExamples = 4;
constexpr std::size_t kPredictions = 12;  // at most so many mistakes, and so many hits
constexpr std::size_t kExamplesNear = 4;
constexpr std::size_t kMostMapped = 1000;  // points that are drawn
// Inspecting more images takes longer than training on them: then `headstart inspect` does it.
constexpr std::size_t kMostInspected = 20'000;
constexpr std::size_t kInspectionLines = 20;  // of each table
constexpr PictureLimit kMapPictures{500, std::uint64_t{128} << 20};

/// Adds an image to the report's images, if it is not among them yet.
ImageNumber name_image(Report& report, const Manifest& manifest, ImageNumber number) {
  const Sample& sample = manifest.samples[number];
  report.images.try_emplace(
      number,
      ShownImage{printable(sample.path), sample.label, std::string(to_string(sample.split)), {}, 0, 0});
  return number;
}

void add_images(Report& report, const ExtractedDataset& dataset) {
  const Manifest& manifest = dataset.manifest;
  report.class_images.resize(manifest.classes.size());
  const std::size_t examples = manifest.classes.size() <= kExampleClasses ? kExamples : 1;
  for (const std::size_t number : dataset.used) {
    const Sample& sample = manifest.samples[number];
    ClassImages& images = report.class_images[static_cast<std::size_t>(sample.label)];
    ++(sample.split == Split::kValidation ? images.validation
       : sample.split == Split::kTest     ? images.test
                                          : images.training);
    if (images.examples.size() < examples) images.examples.push_back(name_image(report, manifest, number));
  }
  for (const DuplicateSet& set : dataset.duplicates) {
    std::vector<ImageNumber>& copies = report.duplicates.emplace_back();
    for (const std::size_t number : set.rows) copies.push_back(name_image(report, manifest, number));
  }
}

void add_predictions(Report& report, const ExtractedDataset& dataset, const Evaluated& split) {
  Matrix probabilities = split.logits;
  softmax(probabilities);
  const std::vector<std::int32_t> predicted = predicted_classes(probabilities);
  std::vector<ShownPrediction> mistakes;
  std::vector<ShownPrediction> hits;
  for (std::size_t i = 0; i < split.samples.size(); ++i) {
    const auto row = static_cast<Eigen::Index>(i);
    const std::int32_t label = dataset.manifest.samples[split.samples[i]].label;
    (predicted[i] == label ? hits : mistakes)
        .push_back({split.samples[i], predicted[i], static_cast<double>(probabilities(row, predicted[i])),
                    static_cast<double>(probabilities(row, label))});
  }
  const auto keep_first = [&](std::vector<ShownPrediction>& predictions, auto before) {
    std::stable_sort(predictions.begin(), predictions.end(), before);
    predictions.resize(std::min(predictions.size(), kPredictions));
    for (const ShownPrediction& prediction : predictions)
      name_image(report, dataset.manifest, prediction.image);
    return std::move(predictions);
  };
  report.mistakes = keep_first(mistakes, [](const ShownPrediction& a, const ShownPrediction& b) {
    return a.probability > b.probability;
  });
  report.hits = keep_first(
      hits, [](const ShownPrediction& a, const ShownPrediction& b) { return a.probability < b.probability; });
}

/// Up to `most` rows, evenly spread, because datasets are sorted by class.
std::vector<RowIndex> spread_rows(std::size_t rows, std::size_t most) {
  const std::size_t count = std::min(rows, most);
  std::vector<RowIndex> chosen(count);
  for (std::size_t i = 0; i < count; ++i) chosen[i] = static_cast<RowIndex>(i * rows / count);
  return chosen;
}

/// Images of any split that were predicted as another class.
std::set<ImageNumber> mistaken_images(const ExtractedDataset& dataset, const std::vector<Evaluated>& splits) {
  std::set<ImageNumber> mistaken;
  for (const Evaluated& split : splits) {
    const std::vector<std::int32_t> predicted = predicted_classes(split.logits);
    for (std::size_t i = 0; i < split.samples.size(); ++i) {
      if (predicted[i] != dataset.manifest.samples[split.samples[i]].label) mistaken.insert(split.samples[i]);
    }
  }
  return mistaken;
}

}  // namespace

Report report_of(const EndedRun& run) {
  const auto& [origin, dataset, splits, result, model, training, train_seconds] = run;
  Report report;
  std::filesystem::path name(origin.name);
  if (name.filename().empty()) name = name.parent_path();
  report.title = "headstart: " + printable(name.filename().string());
  for (const std::string& one : dataset.manifest.classes) report.classes.push_back(printable(one));
  report.history = result.history;
  for (const Evaluated& split : splits) report.splits.emplace_back(split.name, split.metrics);
  for (std::size_t i = 0; i < dataset.manifest.samples.size(); ++i) {
    const ImageResult& image = dataset.extraction.images[i];
    if (image.status == ImageStatus::kRejected) {
      report.rejects.emplace_back(printable(dataset.manifest.samples[i].path), image.reason);
    }
  }
  add_images(report, dataset);
  if (!splits.empty()) add_predictions(report, dataset, splits.back());
  std::string hidden;
  for (const int width : training.hidden) hidden += fmt::format("{}{}", hidden.empty() ? "" : ", ", width);
  report.facts = {
      {"dataset",
       fmt::format("{}: {} images in {} classes, {} used", printable(origin.name),
                   dataset.manifest.samples.size(), dataset.manifest.classes.size(), dataset.used.size())},
      {"stage one", origin.stage_one},
      {"engine", origin.network},
      {"features",
       fmt::format("{} of {}, stored as {}, pooling {}, transform {}, weights {}", to_string(model.tap),
                   model.configuration.network.title, to_string(model.configuration.storage),
                   to_string(model.representation.pooling), to_string(model.representation.transform),
                   origin.weights_identity.hex())},
      {"head", hidden.empty() ? "linear" : "hidden layers of " + hidden},
      {"training",
       fmt::format("SGD, learning rate {}, momentum {}{}, L2 {}, batch {}, {} of {} epochs, "
                   "weights {}, seed {}, temperature {}",
                   training.learning_rate, training.momentum, training.nesterov ? " (Nesterov)" : "",
                   training.l2, training.batch, result.history.size(), training.epochs,
                   result.best_epoch < 0 ? "from before" : fmt::format("of epoch {}", result.best_epoch + 1),
                   training.seed, model.training.temperature)},
      {"features in", printable(origin.place)},
      {"version", HEADSTART_VERSION}};
  return report;
}

void add_neighbours(Report& report, const ExtractedDataset& dataset, std::span<const RowIndex> training,
                    const std::function<SparseRows(std::span<const RowIndex>)>& read) {
  constexpr std::size_t kRowsAtOnce = 1024;
  std::vector<RowIndex> queries;
  for (const ShownPrediction& mistake : report.mistakes) {
    const auto found = std::lower_bound(dataset.used.begin(), dataset.used.end(), mistake.image);
    queries.push_back(static_cast<RowIndex>(found - dataset.used.begin()));
  }
  if (queries.empty()) return;
  NearestRows nearest(read(queries).view(), kExamplesNear);
  for (std::size_t begin = 0; begin < training.size(); begin += kRowsAtOnce) {
    const auto part = training.subspan(begin, std::min(kRowsAtOnce, training.size() - begin));
    nearest.add(read(part).view(), static_cast<RowIndex>(begin));
  }
  for (std::size_t i = 0; i < queries.size(); ++i) {
    for (const NearRow& near : nearest.found()[i]) {
      const RowIndex row = training[static_cast<std::size_t>(near.row)];
      const ImageNumber image =
          name_image(report, dataset.manifest, dataset.used[static_cast<std::size_t>(row)]);
      report.mistakes[i].neighbours.push_back({image, near.cosine});
    }
  }
}

void add_features(Report& report, const ExtractedDataset& dataset, const SplitRows& rows,
                  const StoredRows& stored, const std::vector<Evaluated>& splits,
                  const InspectionWork& work) {
  const std::size_t images = dataset.used.size();
  if (images == 0) return;
  if (images > 1 && images <= kMostInspected) {
    const Inspection inspection =
        inspect_rows({stored, std::span(rows.labels).first(images), static_cast<int>(report.classes.size()),
                      known_groups(dataset)},
                     kNearDuplicate, work);
    report.inspection = inspection_tables(inspection, dataset, kInspectionLines);
    for (const ReportTable& table : report.inspection) {
      for (const auto& line : table.images) {
        for (const ImageNumber image : line) name_image(report, dataset.manifest, image);
      }
    }
  }
  // Averages over positions. Otherwise the place of things in the image would decide most of the plane.
  const std::vector<RowIndex> spread = spread_rows(images, images <= kMostInspected ? images : kMostMapped);
  const Matrix means = unit_averages(stored, spread, work);
  // The places of the mapped rows among these: both are spread evenly over all images.
  const std::vector<RowIndex> places = spread_rows(spread.size(), kMostMapped);
  const PrincipalComponents plane =
      principal_components(blocks_of(means), places, work.threads, work.cancellation);
  const std::set<ImageNumber> mistaken = mistaken_images(dataset, splits);
  report.map.images = images;
  report.map.variance_share = plane.variance_share[0] + plane.variance_share[1];
  for (std::size_t i = 0; i < places.size(); ++i) {
    const RowIndex row_of_image = spread[static_cast<std::size_t>(places[i])];
    const ImageNumber image = dataset.used[static_cast<std::size_t>(row_of_image)];
    const auto row = static_cast<Eigen::Index>(i);
    report.map.points.push_back(
        {image, plane.coordinates(row, 0), plane.coordinates(row, 1), mistaken.contains(image)});
  }
}

void add_pictures(Report& report, const Manifest& manifest, const DecodeOptions& options) {
  take_pictures(report.images, manifest, options, {});
  for (const MapPoint& point : report.map.points) name_image(report, manifest, point.image);
  take_pictures(report.images, manifest, options, kMapPictures);
}

}  // namespace headstart

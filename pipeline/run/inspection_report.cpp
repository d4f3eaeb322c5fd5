// pipeline/run/inspection_report.cpp
#include "pipeline/run/inspection_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "data/error.hpp"
#include "pipeline/process/text_table.hpp"

namespace headstart {
namespace {

using Json = nlohmann::ordered_json;
using Table = std::vector<std::vector<std::string>>;

constexpr std::size_t kFarthestShown = 5;

/// The names for a row of the inspection.
class ImageNames {
 public:
  explicit ImageNames(const ExtractedDataset& dataset) : dataset_(dataset) {}

  [[nodiscard]] const Sample& sample(RowIndex row) const {
    return dataset_.manifest.samples[dataset_.used[static_cast<std::size_t>(row)]];
  }
  [[nodiscard]] ImageNumber image(RowIndex row) const { return dataset_.used[static_cast<std::size_t>(row)]; }
  [[nodiscard]] std::string path(RowIndex row) const { return printable(sample(row).path); }
  [[nodiscard]] const std::string& raw_class(std::int32_t label) const {
    return dataset_.manifest.classes[static_cast<std::size_t>(label)];
  }
  [[nodiscard]] std::string class_name(std::int32_t label) const { return printable(raw_class(label)); }
  [[nodiscard]] bool same_bytes(const NearDuplicate& pair) const {
    return content(pair.first) == content(pair.second);
  }
  [[nodiscard]] bool labels_differ(const NearDuplicate& pair) const {
    return sample(pair.first).label != sample(pair.second).label;
  }
  [[nodiscard]] bool splits_differ(const NearDuplicate& pair) const {
    return sample(pair.first).split != sample(pair.second).split;
  }

 private:
  [[nodiscard]] const Sha256& content(RowIndex row) const {
    return *dataset_.content[dataset_.used[static_cast<std::size_t>(row)]];
  }

  const ExtractedDataset& dataset_;
};

/// One part of an inspection.
struct InspectionSection {
  std::string heading;
  Table table;
  std::size_t left = 0;                            ///< columns of text; the others are numbers
  std::size_t total = 0;                           ///< lines without the limit
  std::vector<std::vector<ImageNumber>> images{};  ///< the images of each line, or empty
};

std::size_t left_out(const InspectionSection& section) {
  return section.total - std::min(section.total, section.table.size() - 1);
}

/// The heading, then the table or "none"; then how many lines were left out.
std::string section_text(const InspectionSection& section) {
  const bool none = section.table.size() == 1;
  std::string text =
      section.heading + '\n' + (none ? std::string("none\n") : text_table(section.table, section.left));
  if (!none && left_out(section) > 0) text += fmt::format("... and {} more\n", left_out(section));
  return text + '\n';
}

/// The first words of the heading are the title, the rest is the note.
ReportTable section_report(InspectionSection section) {
  const std::size_t colon = section.heading.find(": ");
  std::string note = section.heading.substr(colon + 2) + ".";
  if (left_out(section) > 0) note += fmt::format(" {} more are not shown.", left_out(section));
  return {section.heading.substr(0, colon), std::move(note), std::move(section.table),
          std::move(section.images)};
}

/// How the images were compared, for people.
std::string comparison_text(const Comparison& comparison) {
  std::string text = comparison.neighbours
                         ? fmt::format(
                               "each image with its {} nearest, by the averages of the channels; close pairs "
                               "by all stored features",
                               *comparison.neighbours)
                         : "every pair of images, by all stored features";
  if (comparison.recall) {
    text += fmt::format("; the nearest come from an index, which found {:.1f} % of those of a sample",
                        100.0 * *comparison.recall);
  }
  if (comparison.not_verified > 0)
    text += fmt::format("; {} further pairs are close by the averages alone", comparison.not_verified);
  return text;
}

InspectionSection duplicates_section(const Inspection& inspection, const ImageNames& names, std::size_t top) {
  const NearDuplicates& found = inspection.near_duplicates;
  Table table{{"first", "second", "", "cosine"}};
  std::vector<std::vector<ImageNumber>> images;
  for (const NearDuplicate& pair : found.pairs) {
    if (table.size() > top) break;
    std::vector<std::string> remarks;
    if (names.same_bytes(pair)) remarks.emplace_back("same file");
    if (names.labels_differ(pair)) {
      remarks.push_back(fmt::format("labels differ: {}, {}", names.class_name(names.sample(pair.first).label),
                                    names.class_name(names.sample(pair.second).label)));
    }
    if (names.splits_differ(pair)) {
      remarks.push_back(fmt::format("splits differ: {}, {}", to_string(names.sample(pair.first).split),
                                    to_string(names.sample(pair.second).split)));
    }
    images.push_back({names.image(pair.first), names.image(pair.second)});
    table.push_back({names.path(pair.first), names.path(pair.second),
                     fmt::format("{}", fmt::join(remarks, "; ")), fmt::format("{:.4f}", pair.cosine)});
  }
  return {fmt::format("Near-duplicates: {} pairs above cosine {}", found.total, inspection.threshold), table,
          3, found.total, std::move(images)};
}

InspectionSection suspects_section(const Inspection& inspection, const ImageNames& names, std::size_t top) {
  Table table{{"image", "label", "rather", "p(label)", "margin"}};
  std::vector<std::vector<ImageNumber>> images;
  for (const SuspectLabel& suspect : inspection.suspects) {
    if (table.size() > top) break;
    images.push_back({names.image(suspect.row)});
    table.push_back({names.path(suspect.row), names.class_name(suspect.label),
                     names.class_name(suspect.suggested), fmt::format("{:.3f}", suspect.self_confidence),
                     fmt::format("{:.3f}", suspect.normalized_margin)});
  }
  const Metrics& metrics = inspection.out_of_fold.metrics;
  return {fmt::format(
              "Suspect labels: {} of {} images are taken for another class (out-of-fold accuracy {:.4f}, "
              "calibration error {:.4f})",
              inspection.suspects.size(), metrics.rows, metrics.accuracy, metrics.expected_calibration_error),
          table, 3, inspection.suspects.size(), std::move(images)};
}

InspectionSection outliers_section(const Inspection& inspection, const ImageNames& names, std::size_t top) {
  const Outliers& found = inspection.outliers;
  const auto total = static_cast<std::size_t>(std::count_if(
      found.rows.begin(), found.rows.end(), [](const Outlier& row) { return row.score > kOutlierScore; }));
  // If few or none are above the limit, the farthest are still worth showing; they come first.
  const std::size_t shown = std::min({top, found.rows.size(), std::max(total, kFarthestShown)});
  Table table{{"image", "label", "distance", "score"}};
  std::vector<std::vector<ImageNumber>> images;
  for (std::size_t i = 0; i < shown; ++i) {
    const Outlier& row = found.rows[i];
    images.push_back({names.image(row.row)});
    table.push_back({names.path(row.row), names.class_name(names.sample(row.row).label),
                     fmt::format("{:.4f}", row.distance), fmt::format("{:.2f}", row.score)});
  }
  return {
      fmt::format("Outliers: {} of {} images are more than {} deviations farther from their nearest images "
                  "than the median, {:.4f}",
                  total, found.rows.size(), kOutlierScore, found.median),
      table, 2, total, std::move(images)};
}

InspectionSection classes_section(const Inspection& inspection, const ImageNames& names) {
  Table table{{"class", "images", "within", "to nearest", "nearest", "silhouette"}};
  const auto& classes = inspection.separability.classes;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const ClassSeparability& entry = classes[c];
    table.push_back({names.class_name(static_cast<std::int32_t>(c)), fmt::format("{}", entry.rows),
                     entry.within ? fmt::format("{:.4f}", *entry.within) : "-",
                     entry.nearest ? fmt::format("{:.4f}", entry.to_nearest) : "-",
                     entry.nearest ? names.class_name(*entry.nearest) : "-",
                     fmt::format("{:.4f}", entry.silhouette)});
  }
  return {"Class separability: mean cosine within the class and to the nearest other class", table, 1,
          classes.size()};
}

InspectionSection confused_section(const Inspection& inspection, const ImageNames& names, std::size_t top) {
  Table table{{"first", "second", "mistakes", "cosine"}};
  std::size_t total = 0;
  for (const ConfusedClasses& pair : inspection.separability.pairs) {  // the most mistakes come first
    if (pair.mistakes == 0) break;
    ++total;
    if (table.size() > top) continue;
    table.push_back({names.class_name(pair.first), names.class_name(pair.second),
                     fmt::format("{}", pair.mistakes), fmt::format("{:.4f}", pair.cosine)});
  }
  return {"Confused classes: images of either taken for the other, out of fold", table, 2, total};
}

InspectionSection scores_section(const Inspection& inspection) {
  Table table{{"tap", "pooling", "LogME"}};
  for (const FeatureScore& score : inspection.scores) {
    table.push_back({std::string(to_string(score.tap)), std::string(to_string(score.pooling)),
                     fmt::format("{:.4f}", score.log_maximum_evidence)});
  }
  return {"Transferability: LogME of the taps in the cache, higher is better", table, 2,
          inspection.scores.size()};
}

/// The split of a sample; null if the dataset has none.
Json split_json(const Sample& sample) {
  return sample.split == Split::kUnassigned ? Json(nullptr) : Json(to_string(sample.split));
}

Json image_json(const ImageNames& names, RowIndex row) {
  const Sample& sample = names.sample(row);
  return {{"path", sample.path}, {"label", names.raw_class(sample.label)}, {"split", split_json(sample)}};
}

Json duplicates_json(const Inspection& inspection, const ImageNames& names) {
  Json pairs = Json::array();
  for (const NearDuplicate& pair : inspection.near_duplicates.pairs) {
    pairs.push_back({{"first", image_json(names, pair.first)},
                     {"second", image_json(names, pair.second)},
                     {"cosine", pair.cosine},
                     {"same_file", names.same_bytes(pair)},
                     {"labels_differ", names.labels_differ(pair)},
                     {"splits_differ", names.splits_differ(pair)}});
  }
  return {{"threshold", inspection.threshold}, {"total", inspection.near_duplicates.total}, {"pairs", pairs}};
}

Json comparison_json(const Comparison& comparison) {
  return {{"features", comparison.flattened ? "all" : "averages of the channels"},
          {"neighbours", comparison.neighbours ? Json(*comparison.neighbours) : Json(nullptr)},
          {"recall", comparison.recall ? Json(*comparison.recall) : Json(nullptr)},
          {"not_verified", comparison.not_verified}};
}

Json suspects_json(const Inspection& inspection, const ImageNames& names) {
  Json rows = Json::array();
  for (const SuspectLabel& suspect : inspection.suspects) {
    Json row = image_json(names, suspect.row);
    row["suggested"] = names.raw_class(suspect.suggested);
    row["self_confidence"] = suspect.self_confidence;
    row["normalized_margin"] = suspect.normalized_margin;
    rows.push_back(std::move(row));
  }
  return rows;
}

Json outliers_json(const Inspection& inspection, const ImageNames& names) {
  Json rows = Json::array();
  for (const Outlier& outlier : inspection.outliers.rows) {
    Json row = image_json(names, outlier.row);
    row["distance"] = outlier.distance;
    row["score"] = outlier.score;
    rows.push_back(std::move(row));
  }
  return {{"median", inspection.outliers.median},
          {"absolute_deviation", inspection.outliers.absolute_deviation},
          {"limit", kOutlierScore},
          {"images", rows}};
}

Json classes_json(const Inspection& inspection, const ImageNames& names) {
  Json classes = Json::array();
  for (std::size_t c = 0; c < inspection.separability.classes.size(); ++c) {
    const ClassSeparability& entry = inspection.separability.classes[c];
    classes.push_back({{"class", names.raw_class(static_cast<std::int32_t>(c))},
                       {"images", entry.rows},
                       {"within", entry.within ? Json(*entry.within) : Json(nullptr)},
                       {"nearest", entry.nearest ? Json(names.raw_class(*entry.nearest)) : Json(nullptr)},
                       {"to_nearest", entry.nearest ? Json(entry.to_nearest) : Json(nullptr)},
                       {"silhouette", entry.silhouette}});
  }
  return classes;
}

std::vector<InspectionSection> sections(const Inspection& inspection, const ExtractedDataset& dataset,
                                        std::size_t top) {
  const ImageNames names(dataset);
  std::vector<InspectionSection> sections;
  sections.push_back(duplicates_section(inspection, names, top));
  sections.push_back(suspects_section(inspection, names, top));
  sections.push_back(outliers_section(inspection, names, top));
  sections.push_back(classes_section(inspection, names));
  sections.push_back(confused_section(inspection, names, top));
  if (!inspection.scores.empty()) sections.push_back(scores_section(inspection));
  return sections;
}

}  // namespace

std::string inspection_text(const Inspection& inspection, const ExtractedDataset& dataset, std::size_t top) {
  std::string text;
  text += "Compared: " + comparison_text(inspection.comparison) + "\n\n";
  for (const InspectionSection& section : sections(inspection, dataset, top)) text += section_text(section);
  text.pop_back();  // the empty line after the last table
  return text;
}

std::vector<ReportTable> inspection_tables(const Inspection& inspection, const ExtractedDataset& dataset,
                                           std::size_t top) {
  std::vector<ReportTable> tables;
  for (InspectionSection& section : sections(inspection, dataset, top))
    tables.push_back(section_report(std::move(section)));
  tables.front().note += " Compared: " + comparison_text(inspection.comparison) + ".";
  return tables;
}

Json inspection_json(const Inspection& inspection, const ExtractedDataset& dataset) {
  const ImageNames names(dataset);
  Json confused = Json::array();
  for (const ConfusedClasses& pair : inspection.separability.pairs) {
    confused.push_back({{"first", names.raw_class(pair.first)},
                        {"second", names.raw_class(pair.second)},
                        {"mistakes", pair.mistakes},
                        {"cosine", pair.cosine}});
  }
  Json scores = Json::array();
  for (const FeatureScore& score : inspection.scores) {
    scores.push_back({{"tap", to_string(score.tap)},
                      {"pooling", to_string(score.pooling)},
                      {"log_maximum_evidence", score.log_maximum_evidence}});
  }
  const OutOfFoldRidge& fold = inspection.out_of_fold;
  return {{"comparison", comparison_json(inspection.comparison)},
          {"near_duplicates", duplicates_json(inspection, names)},
          {"out_of_fold",
           {{"accuracy", fold.metrics.accuracy},
            {"cross_entropy", fold.metrics.cross_entropy},
            {"expected_calibration_error", fold.metrics.expected_calibration_error},
            {"lambda", fold.lambda},
            {"temperature", fold.temperature}}},
          {"suspect_labels", suspects_json(inspection, names)},
          {"outliers", outliers_json(inspection, names)},
          {"classes", classes_json(inspection, names)},
          {"confused_classes", confused},
          {"transferability", scores}};
}

}  // namespace headstart

// pipeline/report/report.hpp: report.html: what a run did, and its results, on one page that loads nothing
// from elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "head/training/trainer.hpp"
#include "pipeline/report/metrics_json.hpp"

namespace headstart {

/// A line in the report's tables of facts.
using Fact = std::pair<std::string, std::string>;

/// An image of the dataset, by its position in the manifest.
using ImageNumber = std::size_t;

/// An image in the report.
struct ShownImage {
  std::string name;
  std::int32_t label = 0;
  std::string split;  ///< "train", "validation", "test" or ""
  std::string jpeg;   ///< base64 of a small JPEG file; empty if there is no picture
  int width = 0;      ///< of the picture
  int height = 0;
};

/// A table with its own heading and a note about it.
struct ReportTable {
  std::string title;
  std::string note;
  std::vector<std::vector<std::string>> rows;      ///< the header first
  std::vector<std::vector<ImageNumber>> images{};  ///< of each line but the header, or empty
  std::vector<std::string> charts{};               ///< SVG, shown before the table
};

struct ClassImages {
  std::size_t training = 0;
  std::size_t validation = 0;
  std::size_t test = 0;
  std::vector<ImageNumber> examples;
};

/// An image like another one.
struct ShownNeighbour {
  ImageNumber image = 0;
  double cosine = 0.0;
};

struct ShownPrediction {
  ImageNumber image = 0;
  std::int32_t predicted = 0;
  double probability = 0.0;                  ///< of the predicted class
  double label_probability = 0.0;            ///< of the image's own
  std::vector<ShownNeighbour> neighbours{};  ///< the nearest training images
};

/// A point in the map of the features.
struct MapPoint {
  ImageNumber image = 0;
  float x = 0.0F;
  float y = 0.0F;
  bool mistaken = false;  ///< predicted as another class
};

struct FeatureMap {
  std::vector<MapPoint> points;
  std::size_t images = 0;       ///< of the dataset; more than points.size() if only some are drawn
  double variance_share = 0.0;  ///< the part of the features' variance that the plane shows
};

/// The accuracy of a whole search, over the outer folds.
struct NestedAccuracy {
  double mean = 0.0;
  double deviation = 0.0;  ///< standard deviation over the folds
};

/// The content of the report.
struct Report {
  std::string title;
  bool searched = false;    ///< whether it is too late to recommend sweep
  std::vector<Fact> facts;  ///< what ran, and on which data
  std::vector<std::string> classes;
  /// Training first. Classes, confusion and predictions are those of the last split.
  std::vector<std::pair<std::string, SplitMetrics>> splits;
  std::optional<NestedAccuracy> nested{};  ///< of the search before this training
  std::vector<EpochResult> history;
  std::vector<ReportTable> tables;                   ///< shown after the result
  std::vector<ClassImages> class_images;             ///< [classes], or empty
  std::vector<std::vector<ImageNumber>> duplicates;  ///< images with identical files
  std::vector<ShownPrediction> mistakes;             ///< the most confident first
  std::vector<ShownPrediction> hits;                 ///< the least confident first
  FeatureMap map;
  std::vector<ReportTable> inspection;  ///< what the features show about the images; shown before the facts
  std::vector<Fact> rejects;            ///< path and reason
  std::map<ImageNumber, ShownImage> images;  ///< every image that is named above
};

/// The page. Every text is escaped. The colours follow the reader's light or dark setting. A content security
/// policy in the page forbids every request.
[[nodiscard]] std::string report_html(const Report& report);

}  // namespace headstart

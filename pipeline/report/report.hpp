// pipeline/report/report.hpp: report.html: what a run did and how well, on one page that requests nothing
// from anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "head/trainer.hpp"
#include "pipeline/metrics_json.hpp"

namespace headstart {

/// A line of the report's tables of facts.
using Fact = std::pair<std::string, std::string>;

/// An image of the dataset, by its row of the manifest.
using ImageNumber = std::size_t;

/// An image that the report names.
struct ShownImage {
  std::string name;
  std::int32_t label = 0;
  std::string split;  ///< "train", "validation", "test" or ""
  std::string jpeg;   ///< base64 of a small JPEG file; empty where there is no picture
  int width = 0;      ///< of the picture
  int height = 0;
};

/// A table with a heading of its own, and what to know about it.
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

/// A point of the map of the features.
struct MapPoint {
  ImageNumber image = 0;
  float x = 0.0F;
  float y = 0.0F;
  bool mistaken = false;  ///< predicted as another class
};

struct FeatureMap {
  std::vector<MapPoint> points;
  std::size_t images = 0;       ///< of the dataset; above points.size() where only some are drawn
  double variance_share = 0.0;  ///< of the features' variance, that the plane shows
};

/// What the report shows.
struct Report {
  std::string title;
  bool searched = false;    ///< the advice to run sweep would come too late
  std::vector<Fact> facts;  ///< what ran, on what
  std::vector<std::string> classes;
  std::vector<std::pair<std::string, SplitMetrics>>
      splits;  ///< training first; classes, confusion and predictions are the last one's
  std::vector<EpochResult> history;
  std::vector<ReportTable> tables;                   ///< shown behind the result
  std::vector<ClassImages> class_images;             ///< [classes], or empty
  std::vector<std::vector<ImageNumber>> duplicates;  ///< images of the same bytes
  std::vector<ShownPrediction> mistakes;             ///< the most confident first
  std::vector<ShownPrediction> hits;                 ///< the least confident first
  FeatureMap map;
  std::vector<ReportTable> inspection;  ///< what the features say about the images; shown before what ran
  std::vector<Fact> rejects;            ///< path and reason
  std::map<ImageNumber, ShownImage> images;  ///< every one that is mentioned
};

/// The page. Every text is escaped; colours follow the reader's light or dark setting; a content security
/// policy in it forbids every request.
[[nodiscard]] std::string report_html(const Report& report);

}  // namespace headstart

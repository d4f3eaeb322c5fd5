// data/dataset/manifest.hpp: the content of a dataset before any image is read. Invariant: samples keep their
// order (sorted by path, bytewise, or the order of the .csv) through the whole run. A bad file changes the
// result of its sample, never the sample's position.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "data/archive/image_source.hpp"

namespace headstart {

/// Index of a class in Manifest::classes.
using Label = std::int32_t;

/// The label of a sample that is known to be unreadable (ImageSource::problem) before its class is known.
inline constexpr Label kNoLabel = -1;

/// What a sample is used for.
enum class Split { kUnassigned, kTrain, kValidation, kTest };

/// The word for it on the command line and in files.
[[nodiscard]] constexpr std::string_view to_string(Split split) noexcept {
  switch (split) {
    case Split::kUnassigned:
      return "";
    case Split::kTrain:
      return "train";
    case Split::kValidation:
      return "validation";
    case Split::kTest:
      return "test";
  }
  return {};
}

/// One labelled image.
struct Sample {
  std::string path;    ///< as results name it: relative to the dataset, '/' between parts
  ImageSource source;  ///< where to read it
  Label label = 0;
  Split split = Split::kUnassigned;
  std::string group;  ///< samples of one non-empty group stay in one split

  bool operator==(const Sample&) const = default;
};

/// Classes and samples of a dataset.
struct Manifest {
  std::filesystem::path root;        ///< folder that the samples' paths are relative to
  std::vector<std::string> classes;  ///< sorted bytewise, or as numbers (data/dataset/class_folders.hpp)
  std::vector<Sample> samples;
  std::set<std::string> utf8_classes;  ///< classes whose names are marked as UTF-8 in their archive
  bool has_other_names = false;        ///< a path of the dataset is neither UTF-8 nor marked so
  bool has_given_splits = false;       ///< the dataset itself says what is training and what is validation
  std::size_t unlabelled = 0;          ///< images that are no samples, because nothing states their class
  std::vector<std::string> notes;      ///< how the dataset was read and what was skipped, one line each
};

}  // namespace headstart

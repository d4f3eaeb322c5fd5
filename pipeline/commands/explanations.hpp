// pipeline/commands/explanations.hpp: the folder of predict --explain: an overlay for each image.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/archive/image_reader.hpp"
#include "data/archive/image_source.hpp"
#include "data/sha256.hpp"
#include "pipeline/model/model_file.hpp"
#include "pipeline/rows/stage_one.hpp"

namespace headstart {

/// One image to explain.
struct ToExplain {
  const ImageSource* image;
  Sha256 content;      ///< of its file; the key of its cached map
  std::size_t number;  ///< among all images of the command, from 1
  std::int32_t label;  ///< the class to explain
};

class Explanations {
 public:
  /// Makes the folder. @throws Error kFailed if it can't
  Explanations(const std::filesystem::path& folder, const Model& model, const DecodeOptions& decode,
               int threads);

  /// Writes FOLDER/<number>-<file name>.png for each image: the upright image, at most 448 pixels wide and
  /// high, with the class-activation map of its class over it.
  /// @return the files; empty where an image no longer exists or has changed
  /// @throws Error kFailed if a file can't be written
  std::vector<std::string> write(std::span<const ToExplain> images, StageOne& stage_one);

 private:
  std::filesystem::path folder_;
  const Model& model_;
  DecodeOptions decode_;
  int threads_;
  ImageReader reader_;  // continues in an archive from one call to the next
};

}  // namespace headstart

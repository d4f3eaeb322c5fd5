// pipeline/stage_one_options.hpp: what stage one takes, as values: which images are let in, what the network
// sees of them, where rows are kept. Defaults are the ones that --help shows.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "data/dataset_folder.hpp"
#include "data/decode.hpp"
#include "data/discovery.hpp"
#include "data/resize.hpp"
#include "features/engine.hpp"
#include "features/feature_type.hpp"

namespace headstart {

/// --max-rejects: a number of images or a share of them.
struct RejectLimit {
  double value = 100.0;
  bool percent = true;

  /// Whether `rejected` of `total` images are more than allowed.
  [[nodiscard]] bool exceeded(std::size_t rejected, std::size_t total) const noexcept;
};

/// "12" or "5%". Nothing for anything else.
[[nodiscard]] std::optional<RejectLimit> parse_reject_limit(const std::string& text);

/// What a broken image does.
enum class OnError {
  kSkip,  ///< it is left out, with a reason
  kFail,  ///< the run fails
};

/// What every command that looks at images takes.
struct ImageOptions {
  DecodeOptions decode;
  ResizeOptions resize;
  OnError on_error = OnError::kSkip;
  RejectLimit max_rejects;
  OutsidePaths outside_paths = OutsidePaths::kRefused;  ///< of a dataset that is a .csv or a list of archives
  std::string encoding = {};  ///< of class names that are not UTF-8; empty: none may be
  SplitFolders splits = {};   ///< of a dataset that is a folder or archives
};

/// What discover() has to know of them.
[[nodiscard]] DiscoveryOptions discovery_options(const ImageOptions& images, int min_classes = 2);

/// What every command that runs the network takes.
struct StageOneOptions {
  std::filesystem::path cache;    ///< empty: default_cache_folder()
  std::filesystem::path weights;  ///< empty: the embedded file
  EngineKind engine = EngineKind::kAuto;
  int batch_size = 0;                           ///< 0: what suits the engine
  bool rehash = false;                          ///< read every image, whatever CACHE/stat says of it
  FeatureType storage = FeatureType::kFloat32;  ///< of cached rows; a saved model brings its own
  ImageOptions images;
};

}  // namespace headstart

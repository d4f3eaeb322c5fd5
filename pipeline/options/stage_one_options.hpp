// pipeline/options/stage_one_options.hpp: the options of stage one, as values: which images are accepted,
// what the network gets of them, where rows are kept. The defaults are those in --help.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "data/dataset/dataset_folder.hpp"
#include "data/dataset/discovery.hpp"
#include "data/image/decode.hpp"
#include "data/image/resize.hpp"
#include "features/engines/registry.hpp"
#include "features/feature_type.hpp"
#include "features/network/known_networks.hpp"

namespace headstart {

/// --max-rejects: a number of images or a share of them.
struct RejectLimit {
  double value = 100.0;
  bool percent = true;

  /// Whether `rejected` of `total` images are more than allowed.
  [[nodiscard]] bool exceeded(std::size_t rejected, std::size_t total) const noexcept;
};

/// "12" or "5%". Empty for any other text.
[[nodiscard]] std::optional<RejectLimit> parse_reject_limit(const std::string& text);
/// The text that parse_reject_limit() reads as the same limit.
[[nodiscard]] std::string to_string(const RejectLimit& limit);

/// What happens at a broken image.
enum class OnError {
  kSkip,  ///< the image is left out, with a reason
  kFail,  ///< the run fails
};

/// The word for it on the command line and in files.
[[nodiscard]] constexpr std::string_view to_string(OnError on_error) noexcept {
  switch (on_error) {
    case OnError::kSkip:
      return "skip";
    case OnError::kFail:
      return "fail";
  }
  return {};
}

/// The options of every command that reads images.
struct ImageOptions {
  DecodeOptions decode;
  ResizeOptions resize;
  OnError on_error = OnError::kSkip;
  RejectLimit max_rejects;
  OutsidePaths outside_paths = OutsidePaths::kRefused;  ///< of a dataset that is a .csv or a list of archives
  std::string encoding = {};  ///< of class names that are not UTF-8; empty: class names must be UTF-8
  SplitFolders splits = {};   ///< of a dataset that is a folder or archives
};

/// The part of these options that discover() needs.
[[nodiscard]] DiscoveryOptions discovery_options(const ImageOptions& images, int min_classes = 2);

/// The options of every command that runs the network.
struct StageOneOptions {
  std::filesystem::path cache;    ///< empty: default_cache_folder()
  Network network = vgg16();      ///< a saved model has its own
  std::filesystem::path weights;  ///< empty: the embedded file, of VGG16
  EngineKind engine = EngineKind::kAuto;
  int batch_size = 0;   ///< the engine batch; 0: a size that suits the engine
  bool rehash = false;  ///< read every image, even if CACHE/stat says that it is unchanged
  FeatureType storage = FeatureType::kFloat32;  ///< of cached rows; a saved model has its own
  ImageOptions images;
};

}  // namespace headstart

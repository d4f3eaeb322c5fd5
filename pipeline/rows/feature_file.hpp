// pipeline/rows/feature_file.hpp: features.h5 or features.npy: one plain table of features, labels and paths,
// for NumPy, scikit-learn and other programs. docs/features-file.md describes both.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "data/sha256.hpp"
#include "features/cache/extractor_configuration.hpp"
#include "features/feature_type.hpp"
#include "features/network/known_networks.hpp"
#include "head/representation/representation.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

inline constexpr const char* kFeatureFileFormat = "headstart features";
inline constexpr std::int32_t kFeatureFileVersion = 1;

/// The whole table except the features. Each vector has one element for each row.
struct FeatureTable {
  ExtractorConfiguration configuration;
  Tap tap = vgg16().default_tap;
  MapShape shape;  ///< of a row's map, before pooling
  Pooling pooling = Pooling::kFlatten;
  std::vector<std::string> class_names;
  std::vector<std::int32_t> labels;
  std::vector<std::string> paths;
  std::vector<std::string> splits;  ///< "train", "validation", "test" or ""
  std::vector<std::string> groups;  ///< rows of one non-empty group are always in one split
  std::vector<Sha256> keys;         ///< the digests of the image files
};

/// Writes `file` as a whole: under another name first. Its name decides the storage: NAME.npy is in NumPy's
/// format, with labels.csv and NAME.json beside it; every other name is an HDF5 file.
/// @param columns  the number of features of a row
/// @param read     reads the features of some rows, so that not all are in memory
/// @throws Error kFailed if it cannot be written; kData naming the image whose features do not fit float16
void write_feature_file(const std::filesystem::path& file, const FeatureTable& table, std::int64_t columns,
                        FeatureType type, const std::function<SparseRows(std::span<const RowIndex>)>& read);

/// Every file that write_feature_file() writes for `file`.
[[nodiscard]] std::vector<std::filesystem::path> feature_files(const std::filesystem::path& file);

}  // namespace headstart

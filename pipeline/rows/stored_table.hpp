// pipeline/rows/stored_table.hpp: the table of a features file as one of its storages states it: in HDF5
// (features_hdf5.hpp) or beside a .npy file (features_npy.hpp). What a storage reads is not checked against
// anything; feature_file_reader.cpp checks both alike.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/rows/feature_file.hpp"

namespace headstart {

/// Bytes of text that a table may have in one place, about what ten million rows take.
inline constexpr std::uint64_t kMaxTableText = std::uint64_t{1} << 30U;
inline constexpr std::uint64_t kMaxClasses = 1'000'000;

/// Everything except the features.
struct StoredTable {
  std::string extractor;  ///< ExtractorConfiguration::canonical_json(), if it is one
  std::string tap;
  std::string pooling;
  std::vector<std::int64_t> map_shape;
  FeatureTable table;  ///< class names and rows; what the texts above state is not filled in
};

}  // namespace headstart

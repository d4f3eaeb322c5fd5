// pipeline/rows/features_hdf5.cpp
#include "pipeline/rows/features_hdf5.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "pipeline/rows/feature_file_error.hpp"

namespace headstart {
namespace {

std::vector<Sha256> keys_from(const std::vector<std::uint8_t>& digests) {
  std::vector<Sha256> keys(digests.size() / sizeof(Sha256::bytes));
  for (std::size_t i = 0; i < keys.size(); ++i)
    std::memcpy(keys[i].bytes.data(), &digests[i * sizeof(Sha256::bytes)], sizeof(Sha256::bytes));
  return keys;
}

}  // namespace

void write_hdf5_table(hid_t file, const FeatureTable& table) {
  const std::array<std::int32_t, 1> version{kFeatureFileVersion};
  const std::array<std::int64_t, 3> shape{table.shape.height, table.shape.width, table.shape.channels};
  hdf5::write_variable_string(file, "format", kFeatureFileFormat);
  hdf5::write_numbers<std::int32_t>(file, "format_version", {}, version);
  hdf5::write_variable_string(file, "extractor", table.configuration.canonical_json());
  hdf5::write_variable_string(file, "tap", std::string(to_string(table.tap)));
  hdf5::write_variable_string(file, "pooling", std::string(to_string(table.pooling)));
  hdf5::write_numbers<std::int64_t>(file, "map_shape", {shape.size()}, shape);
  hdf5::write<std::int32_t>(file, "labels", {table.labels.size()}, table.labels);
  hdf5::write_string_dataset(file, "class_names", table.class_names);
  hdf5::write_string_dataset(file, "paths", table.paths);
  hdf5::write_string_dataset(file, "split", table.splits);
  hdf5::write_string_dataset(file, "group", table.groups);
  std::vector<std::uint8_t> digests;
  digests.reserve(table.keys.size() * sizeof(Sha256::bytes));
  for (const Sha256& key : table.keys) digests.insert(digests.end(), key.bytes.begin(), key.bytes.end());
  hdf5::write<std::uint8_t>(file, "sha256", {table.keys.size(), sizeof(Sha256::bytes)}, digests);
}

Hdf5Features::Hdf5Features(const std::filesystem::path& file)
    : path_(file), file_(hdf5::open_file(file)), matrix_(file_.id(), "features") {}

StoredTable Hdf5Features::table() const {
  const hid_t file = file_.id();
  const auto attribute = [&](const char* name) { return hdf5::read_string(file, name); };
  if (!hdf5::has_attribute(file, "format") || attribute("format") != kFeatureFileFormat)
    refuse_features(path_, "is no table of headstart's features");
  const std::vector<std::int32_t> version = hdf5::read_numbers<std::int32_t>(file, "format_version");
  if (version.size() != 1 || version.front() != kFeatureFileVersion)
    refuse_features(path_, "format_version is not 1: it was made by another version");
  StoredTable stored{.extractor = attribute("extractor"),
                     .tap = attribute("tap"),
                     .pooling = attribute("pooling"),
                     .map_shape = hdf5::read_numbers<std::int64_t>(file, "map_shape"),
                     .table = {}};
  const std::uint64_t rows = matrix_.rows();
  FeatureTable& table = stored.table;
  table.labels = hdf5::read<std::int32_t>(file, "labels", rows);
  table.class_names = hdf5::read_string_dataset(file, "class_names", kMaxClasses);
  table.paths = hdf5::read_string_dataset(file, "paths", rows);
  table.splits = hdf5::read_string_dataset(file, "split", rows);
  table.groups.resize(rows);  // files before 2026-11-26 have none
  if (hdf5::exists(file, "group")) table.groups = hdf5::read_string_dataset(file, "group", rows);
  if (hdf5::extents(file, "sha256") != hdf5::Extents{rows, sizeof(Sha256::bytes)})
    refuse_features(path_, fmt::format("sha256 is not {} x {}", rows, sizeof(Sha256::bytes)));
  table.keys = keys_from(hdf5::read<std::uint8_t>(file, "sha256", rows * sizeof(Sha256::bytes)));
  return stored;
}

}  // namespace headstart

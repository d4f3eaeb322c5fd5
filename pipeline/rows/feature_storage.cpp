// pipeline/rows/feature_storage.cpp
#include "pipeline/rows/feature_storage.hpp"

namespace headstart {
namespace {

std::variant<Hdf5Features, NpyFeatures> opened(const std::filesystem::path& file) {
  if (is_npy_name(file))
    return std::variant<Hdf5Features, NpyFeatures>(std::in_place_type<NpyFeatures>, file);
  return std::variant<Hdf5Features, NpyFeatures>(std::in_place_type<Hdf5Features>, file);
}

}  // namespace

FeatureStorage::FeatureStorage(const std::filesystem::path& file) : storage_(opened(file)) {}

std::uint64_t FeatureStorage::rows() const {
  return std::visit([](const auto& storage) { return storage.rows(); }, storage_);
}

std::uint64_t FeatureStorage::columns() const {
  return std::visit([](const auto& storage) { return storage.columns(); }, storage_);
}

void FeatureStorage::read(std::uint64_t first, std::span<float> values) const {
  std::visit([&](const auto& storage) { storage.read(first, values); }, storage_);
}

StoredTable FeatureStorage::table() const {
  return std::visit([](const auto& storage) { return storage.table(); }, storage_);
}

}  // namespace headstart

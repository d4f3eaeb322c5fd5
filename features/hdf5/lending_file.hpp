// features/hdf5/lending_file.hpp: writes a file whose large datasets stay where they are in memory, or come
// later.
// Invariant: what close() gives is, byte for byte, what HDF5 itself would have written with the same layout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "features/feature_type.hpp"
#include "features/hdf5/handle.hpp"

namespace headstart::hdf5 {

/// A new file whose large datasets are lent to it: HDF5 lays them out, and what becomes of the file is made
/// of HDF5's few kilobytes and of the values where they are. Equal contents give equal bytes.
class LendingFile {
 public:
  LendingFile();
  LendingFile(LendingFile&&) = default;
  LendingFile& operator=(LendingFile&&) = delete;  // would free what HDF5 still writes to
  [[nodiscard]] hid_t id() const noexcept { return file_.id(); }
  /// A dataset of float32, little-endian; 64 KiB or more of `values` have to outlive what close() returns.
  void write(hid_t parent, const std::string& dataset, const Extents& extents, std::span<const float> values);
  /// No more is written. @returns the file's bytes, one part after the other, valid as long as this, or what
  /// it is moved to, is
  [[nodiscard]] std::vector<std::span<const std::byte>> close();

  /// A file's bytes but for one dataset's values, which stand between them.
  struct Surroundings {
    std::span<const std::byte> before;
    std::span<const std::byte> after;
  };
  /// As close(), with one more dataset of `type`, whose values may be more than memory holds: whoever writes
  /// the file writes these where they belong. Nothing may be lent beside it.
  [[nodiscard]] Surroundings close_around(const std::string& dataset, const Extents& extents,
                                          FeatureType type);

 private:
  struct Image;
  struct FreeImage {
    void operator()(Image* image) const noexcept;
  };
  struct Lent {
    std::string path;
    Extents extents;
    FeatureType type;
    std::uint64_t bytes;
    std::span<const std::byte> values;  // none: they are written by somebody else
    std::uint64_t offset = 0;
  };
  /// Lets HDF5 place what is lent, and sorts it by its offsets.
  /// @returns what HDF5 wrote before the first of it, between one and the next, and behind the last
  [[nodiscard]] std::vector<std::span<const std::byte>> lay_out();

  std::unique_ptr<Image, FreeImage> image_;
  File file_;  // goes before image_
  std::vector<Lent> lent_;
};

}  // namespace headstart::hdf5

// features/hdf5/lending_file.hpp: writes a file whose large datasets stay where they are in memory, or come
// later. Invariant: the file from close() is byte for byte the file that HDF5 itself would have written with
// the same layout.
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

/// A new file that borrows the values of its large datasets. HDF5 lays the datasets out. The file then
/// consists of HDF5's few kilobytes and the values where they are. Equal contents give equal files.
class LendingFile {
 public:
  LendingFile();
  LendingFile(LendingFile&&) = default;
  LendingFile& operator=(LendingFile&&) = delete;  // would free memory that HDF5 still writes to
  [[nodiscard]] hid_t id() const noexcept { return file_.id(); }
  /// A dataset of float32, little-endian. If `values` have 64 KiB or more, they have to outlive the result of
  /// close().
  void write(hid_t parent, const std::string& dataset, const Extents& extents, std::span<const float> values);
  /// Ends the writing. @returns the file's bytes in parts, one after the other. They are valid as long as
  /// this object, or the object that it is moved to
  [[nodiscard]] std::vector<std::span<const std::byte>> close();

  /// A file's bytes without one dataset's values, which belong between `before` and `after`.
  struct Surroundings {
    std::span<const std::byte> before;
    std::span<const std::byte> after;
  };
  /// Like close(), with one more dataset of `type` whose values may be larger than memory. The caller writes
  /// these values between the two parts. No other dataset may be lent.
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
    std::span<const std::byte> values;  // none: the caller writes them
    std::uint64_t offset = 0;
  };
  /// Lets HDF5 place the lent datasets, and sorts them by their offsets.
  /// @returns HDF5's own bytes: before the first dataset, between two, and behind the last
  [[nodiscard]] std::vector<std::span<const std::byte>> lay_out();

  std::unique_ptr<Image, FreeImage> image_;
  File file_;  // destroyed before image_
  std::vector<Lent> lent_;
};

}  // namespace headstart::hdf5

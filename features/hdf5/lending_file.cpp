// features/hdf5/lending_file.cpp
#include "features/hdf5/lending_file.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "data/error.hpp"
#include "features/hdf5/calls.hpp"
#include "features/hdf5/dataset.hpp"
#include "features/hdf5/file_access.hpp"
#include "features/hdf5/number_type.hpp"
#include "features/hdf5/shape.hpp"

namespace headstart::hdf5 {
namespace {

constexpr std::size_t kLentBytes = std::size_t{64} << 10;  // smaller datasets are copied
constexpr hsize_t kOutlineBytes = 256 << 10;               // more than a model has besides its weights

/// The end of a file, read from its superblock of version 0 (HDF5 File Format Specification, III.A). HDF5
/// writes this version if the earliest format is allowed.
std::uint64_t end_of_file(std::span<const std::byte> image) {
  constexpr std::size_t kVersion = 8;
  constexpr std::size_t kOffsetBytes = 13;
  constexpr std::size_t kEnd = 40;
  std::uint64_t end = 0;
  if (image.size() < kEnd + sizeof(end) || image[kVersion] != std::byte{0} ||
      image[kOffsetBytes] != std::byte{sizeof(end)}) {
    throw Error{Error::Kind::kFailed, "HDF5 failed", "memory: a superblock of another version than asked for",
                "build headstart with HDF5 1.10 to 1.14"};
  }
  std::memcpy(&end, image.data() + kEnd, sizeof(end));
  return end;
}

}  // namespace

/// HDF5's image of a LendingFile. It is taken over when HDF5 would free it.
struct LendingFile::Image {
  std::byte* bytes = nullptr;
  std::size_t size = 0;

  /// Fills with zeros up to `end`, if HDF5 stopped earlier.
  void reach(std::size_t end) {
    if (end <= size) return;
    void* const grown = std::realloc(bytes, end);
    if (grown == nullptr) throw std::bad_alloc();
    bytes = static_cast<std::byte*>(grown);
    std::memset(bytes + size, 0, end - size);
    size = end;
  }
  static void* grow(void* bytes, std::size_t size, H5FD_file_image_op_t, void* image) {
    void* const grown = std::realloc(bytes, size);
    if (grown != nullptr) static_cast<Image*>(image)->size = size;
    return grown;
  }
  /// HDF5 frees the image once, when it closes the file.
  static herr_t keep(void* bytes, H5FD_file_image_op_t, void* image) {
    static_cast<Image*>(image)->bytes = static_cast<std::byte*>(bytes);
    return 0;
  }
  static void* share(void* image) { return image; }
  static herr_t unshare(void*) { return 0; }
};

void LendingFile::FreeImage::operator()(Image* image) const noexcept {
  std::free(image->bytes);
  delete image;
}

// All data that HDF5 itself writes lie before the lent values, so that HDF5's image ends there. That is why
// the metadata blocks are large, and why datasets are lent last.
LendingFile::LendingFile() : image_(new Image), file_(H5I_INVALID_HID) {
  silence();
  H5FD_file_image_callbacks_t callbacks{nullptr,      nullptr,        Image::grow, Image::keep,
                                        Image::share, Image::unshare, image_.get()};
  const PropertyList access = memory_access(&callbacks);
  check(H5Pset_meta_block_size(access.id(), kOutlineBytes));
  check(H5Pset_libver_bounds(access.id(), H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST));
  const PropertyList creation = untimed(H5P_FILE_CREATE);
  file_ = File{checked(H5Fcreate(next_memory_name().c_str(), H5F_ACC_TRUNC, creation.id(), access.id()))};
}

void LendingFile::write(hid_t parent, const std::string& dataset, const Extents& extents,
                        std::span<const float> values) {
  if (values.size_bytes() < kLentBytes) return hdf5::write<float>(parent, dataset, extents, values);
  if (elements(extents) != values.size())
    throw failure(parent, dataset, "is given a shape that does not fit its values");
  lent_.push_back({path_of(parent) + '/' + dataset, extents, FeatureType::kFloat32, values.size_bytes(),
                   std::as_bytes(values)});
}

std::vector<std::span<const std::byte>> LendingFile::lay_out() {
  for (Lent& lent : lent_) {
    const PropertyList properties = untimed(H5P_DATASET_CREATE);
    check(H5Pset_alloc_time(properties.id(), H5D_ALLOC_TIME_EARLY));
    check(H5Pset_fill_time(properties.id(), H5D_FILL_TIME_NEVER));
    const Type type = lent.type == FeatureType::kFloat16 ? file_type<Float16>() : file_type<float>();
    const Space space = make_space(lent.extents);
    const Dataset dataset{checked(
        H5Dcreate2(id(), lent.path.c_str(), type.id(), space.id(), H5P_DEFAULT, properties.id(), H5P_DEFAULT),
        id(), lent.path)};
    lent.offset = H5Dget_offset(dataset.id());
    if (lent.offset == HADDR_UNDEF) throw failure(id(), lent.path, "was given no place");
  }
  std::ranges::sort(lent_, {}, &Lent::offset);
  check(H5Fclose(file_.release()));

  std::vector<std::pair<std::uint64_t, std::uint64_t>> gaps;  // HDF5's parts; empty if there is none
  std::uint64_t end = 0;
  for (const Lent& lent : lent_) {
    gaps.emplace_back(end, lent.offset);
    end = lent.offset + lent.bytes;
  }
  gaps.emplace_back(end, std::max(end_of_file({image_->bytes, image_->size}), end));
  for (const auto& [from, to] : gaps) {
    if (to > from) image_->reach(to);
  }
  std::vector<std::span<const std::byte>> written;
  for (const auto& [from, to] : gaps)
    written.push_back(to > from ? std::span<const std::byte>(image_->bytes + from, to - from)
                                : std::span<const std::byte>());
  return written;
}

std::vector<std::span<const std::byte>> LendingFile::close() {
  const std::vector<std::span<const std::byte>> written = lay_out();
  std::vector<std::span<const std::byte>> parts;
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (!written[i].empty()) parts.push_back(written[i]);
    if (i < lent_.size()) parts.push_back(lent_[i].values);
  }
  return parts;
}

LendingFile::Surroundings LendingFile::close_around(const std::string& dataset, const Extents& extents,
                                                    FeatureType type) {
  lent_.push_back({'/' + dataset, extents, type, elements(extents) * bytes_of(type), {}});
  const std::vector<std::span<const std::byte>> written = lay_out();
  return {written.front(), written.back()};
}

}  // namespace headstart::hdf5

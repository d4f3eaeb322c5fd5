// features/hdf5.hpp: the HDF5 layer: owned ids, and every C call that headstart uses wrapped once, errors as
// exceptions. Nothing ever leads out of a file: links, external storage and virtual datasets are refused.
// Surprise: Debian's serial HDF5 allows one thread at a time; callers see to that.
#pragma once

#include <hdf5.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "features/feature_type.hpp"
#include "features/float16.hpp"

namespace headstart::hdf5 {

/// Owns one HDF5 id.
template <herr_t (*Close)(hid_t)>
class Handle {
 public:
  explicit Handle(hid_t id) noexcept : id_(id) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (id_ >= 0) Close(id_);
  }
  [[nodiscard]] hid_t id() const noexcept { return id_; }
  /// Hands the id over.
  [[nodiscard]] hid_t release() noexcept { return std::exchange(id_, H5I_INVALID_HID); }

 private:
  hid_t id_;
};

using File = Handle<H5Fclose>;
using Group = Handle<H5Gclose>;
using Dataset = Handle<H5Dclose>;
using Attribute = Handle<H5Aclose>;
using Type = Handle<H5Tclose>;
using Space = Handle<H5Sclose>;
using PropertyList = Handle<H5Pclose>;

/// Shape of a dataset or attribute; empty for a scalar.
using Extents = std::vector<std::uint64_t>;

// In everything below, `parent` is the id of an open file or group, `name` a path below it made of hard links
// only; failures throw Error kFailed with the file's name (or "memory"), the object's path and the reason.

/// Opens a file on disk for reading.
/// @throws Error if it is missing, unreadable, no regular file or no HDF5 file
[[nodiscard]] File open_file(const std::filesystem::path& file);
/// Opens a file image in memory for reading. The bytes are not copied, as there may be 64 MiB of them, and so
/// have to outlive the file.
[[nodiscard]] File open_image(std::span<const std::byte> bytes);
/// A new file in memory (core driver, nothing on disk), without time stamps, so that equal contents give
/// equal bytes.
[[nodiscard]] File create_in_memory();
/// A new file on disk, without time stamps. @throws Error if it exists
[[nodiscard]] File create_file(const std::filesystem::path& file);
/// Flushes a file made by create_in_memory and returns its bytes.
[[nodiscard]] std::vector<std::byte> file_image(const File& file);
/// Flushes everything to the operating system. @throws Error, e.g. when the disk is full
void flush(const File& file);

[[nodiscard]] bool exists(hid_t parent, const std::string& name);
/// Whether `name`, which exists, is a group rather than a dataset.
[[nodiscard]] bool is_group(hid_t parent, const std::string& name);
[[nodiscard]] Group open_group(hid_t parent, const std::string& name);
[[nodiscard]] Group create_group(hid_t parent, const std::string& name);

[[nodiscard]] Extents extents(hid_t parent, const std::string& dataset);
/// Whether a dataset's values are IEEE 754 binary16, little-endian.
[[nodiscard]] bool is_float16(hid_t parent, const std::string& dataset);
/// A numeric dataset, converted to T = float, double, int32, int64 or uint8, or as it is to T = Float16;
/// floats are never read as integers. More than `max_elements` are an Error, before anything is allocated; so
/// are values that lie in other files.
template <typename T>
[[nodiscard]] std::vector<T> read(hid_t parent, const std::string& dataset, std::uint64_t max_elements);
/// Writes a dataset of T, little-endian. @param compress  shuffle and deflate, in chunks of rows
template <typename T>
void write(hid_t parent, const std::string& dataset, const Extents& extents, std::span<const T> values,
           bool compress = false);

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

 private:
  struct Image;
  struct FreeImage {
    void operator()(Image* image) const noexcept;
  };
  struct Lent {
    std::string path;
    Extents extents;
    std::span<const std::byte> values;
    std::uint64_t offset = 0;
  };
  std::unique_ptr<Image, FreeImage> image_;
  File file_;  // goes before image_
  std::vector<Lent> lent_;
};

/// Writes a one-dimensional dataset of variable-length UTF-8 strings (what h5py makes of a list of str).
void write_string_dataset(hid_t parent, const std::string& dataset, const std::vector<std::string>& values);
/// A one-dimensional dataset of strings, fixed or variable length. More than `max_strings`, or than 1 GiB of
/// text, are an Error before anything is allocated.
[[nodiscard]] std::vector<std::string> read_string_dataset(hid_t parent, const std::string& dataset,
                                                           std::uint64_t max_strings);

/// A matrix that is written a few rows at a time. Its values are given as float; stored as float16 they have
/// to be such as it has.
class MatrixWriter {
 public:
  MatrixWriter(hid_t parent, const std::string& dataset, std::uint64_t rows, std::uint64_t columns,
               FeatureType storage);
  /// The next rows. @param values  a multiple of the columns
  void append(std::span<const float> values);

 private:
  Dataset dataset_;
  std::uint64_t columns_;
  std::uint64_t next_ = 0;
};

/// A matrix of numbers that is read a few rows at a time, converted to float.
class MatrixReader {
 public:
  /// @throws Error if `dataset` is no matrix of floats or integers, or its values lie in other files
  MatrixReader(hid_t parent, const std::string& dataset);
  [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
  [[nodiscard]] std::uint64_t columns() const noexcept { return columns_; }
  /// Rows first, first + 1, ... @param values  a multiple of the columns, of rows that there are
  void read(std::uint64_t first, std::span<float> values) const;

 private:
  Dataset dataset_;
  std::uint64_t rows_ = 0;
  std::uint64_t columns_ = 0;
};

[[nodiscard]] bool has_attribute(hid_t object, const std::string& name);
/// A string attribute, fixed or variable length, any character set, at most 64 MiB.
[[nodiscard]] std::string read_string(hid_t object, const std::string& attribute);
/// An array of strings, fixed or variable length.
[[nodiscard]] std::vector<std::string> read_strings(hid_t object, const std::string& attribute);
/// Numeric attribute.
template <typename T>
[[nodiscard]] std::vector<T> read_numbers(hid_t object, const std::string& attribute);

/// A scalar fixed-length UTF-8 string (what Keras reads everywhere).
void write_string(hid_t object, const std::string& attribute, const std::string& value);
/// A scalar variable-length UTF-8 string (what AnnData asks for).
void write_variable_string(hid_t object, const std::string& attribute, const std::string& value);
/// A one-dimensional array of fixed-length strings; an empty one has no element.
void write_strings(hid_t object, const std::string& attribute, const std::vector<std::string>& values);
template <typename T>
void write_numbers(hid_t object, const std::string& attribute, const Extents& extents,
                   std::span<const T> values);

}  // namespace headstart::hdf5

// features/cache/segment.cpp: see segment.hpp. Nothing is compressed. Shuffle and deflate would halve a
// segment, but make writing ten times slower (docs/cache-format.md).
#include "features/cache/segment.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "data/error.hpp"
#include "features/float16.hpp"
#include "features/hdf5/hdf5.hpp"
#include "features/network/all_finite.hpp"
#include "features/network/known_networks.hpp"
#include "memory/enum_names.hpp"

namespace headstart {
namespace {

constexpr const char* kFormat = "headstart segment";
constexpr std::size_t kDigestBytes = sizeof(Sha256::bytes);
constexpr const char* kActivations = "activations";
constexpr const char* kGeneration = "generation";

/// The version of a segment's format, by the type of its values. float16 has its own version, because readers
/// of version 1 expect float32.
constexpr std::int32_t version_of(FeatureType storage) noexcept {
  return storage == FeatureType::kFloat16 ? 2 : 1;
}

[[nodiscard]] Error malformed(std::string_view what) {
  return Error{Error::Kind::kFailed, "a segment of the cache is malformed", what, "extract its images again"};
}

hdf5::Extents dense_extents(std::size_t rows, const MapShape& shape) {
  return {rows, static_cast<std::uint64_t>(shape.height), static_cast<std::uint64_t>(shape.width),
          static_cast<std::uint64_t>(shape.channels)};
}

std::size_t sparse_bytes(std::size_t rows, std::size_t nonzeros, FeatureType storage) {
  return nonzeros * (bytes_of(storage) + sizeof(std::int32_t)) + (rows + 1) * sizeof(std::int64_t);
}

std::size_t dense_bytes(std::size_t rows, const MapShape& shape, FeatureType storage) {
  return rows * shape.size() * bytes_of(storage);
}

bool sparse_is_smaller(const Segment& segment) {
  const std::size_t rows = segment.rows.rows();
  return sparse_bytes(rows, segment.rows.values.size(), segment.storage) <
         dense_bytes(rows, segment.shape, segment.storage);
}

/// Whether the values fulfil the invariant of Segment.
[[maybe_unused]] bool storable(const Segment& segment) {
  const std::vector<float>& values = segment.rows.values;
  return all_finite(values) && (segment.storage == FeatureType::kFloat32 ||
                                std::all_of(values.begin(), values.end(),
                                            [](float value) { return rounded_to_float16(value) == value; }));
}

std::vector<std::uint8_t> concatenated(std::span<const Sha256> keys) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(keys.size() * kDigestBytes);
  for (const Sha256& key : keys) bytes.insert(bytes.end(), key.bytes.begin(), key.bytes.end());
  return bytes;
}

void write_header(hid_t file, const Segment& segment) {
  const std::array<std::int32_t, 1> version{version_of(segment.storage)};
  const std::array<std::int64_t, 3> shape{segment.shape.height, segment.shape.width, segment.shape.channels};
  hdf5::write_variable_string(file, "format", kFormat);
  hdf5::write_numbers<std::int32_t>(file, "format_version", {}, version);
  hdf5::write_variable_string(file, "tap", std::string(to_string(segment.tap)));
  hdf5::write_numbers<std::int64_t>(file, "shape", {shape.size()}, shape);
  hdf5::write_variable_string(file, "engine", segment.origin.engine);
  hdf5::write_variable_string(file, "engine_version", segment.origin.engine_version);
  hdf5::write_variable_string(file, "headstart_version", segment.origin.headstart_version);
  hdf5::write_variable_string(file, "host", segment.origin.host);
  if (segment.generation > 0)
    hdf5::write_numbers<std::int32_t>(file, kGeneration, {}, std::array{segment.generation});
  hdf5::write<std::uint8_t>(file, "sha256", {segment.keys.size(), kDigestBytes}, concatenated(segment.keys));
  hdf5::write<std::int32_t>(file, "nonzeros", {segment.keys.size()}, segment.rows.counts());
}

void write_values(hid_t parent, const std::string& dataset, const hdf5::Extents& extents,
                  std::span<const float> values, FeatureType storage) {
  if (storage == FeatureType::kFloat32) return hdf5::write<float>(parent, dataset, extents, values);
  std::vector<Float16> halves(values.size());
  std::transform(values.begin(), values.end(), halves.begin(), to_float16);
  hdf5::write<Float16>(parent, dataset, extents, halves);
}

/// AnnData's convention for a sparse matrix on disk: anndata.readthedocs.io, "On-disk format", sparse arrays.
void write_sparse(hid_t file, const SparseRows& rows, FeatureType storage) {
  const hdf5::Group group = hdf5::create_group(file, kActivations);
  const std::array<std::int64_t, 2> shape{static_cast<std::int64_t>(rows.rows()), rows.columns};
  hdf5::write_variable_string(group.id(), "encoding-type", "csr_matrix");
  hdf5::write_variable_string(group.id(), "encoding-version", "0.1.0");
  hdf5::write_numbers<std::int64_t>(group.id(), "shape", {shape.size()}, shape);
  write_values(group.id(), "data", {rows.values.size()}, rows.values, storage);
  hdf5::write<std::int32_t>(group.id(), "indices", {rows.indices.size()}, rows.indices);
  hdf5::write<std::int64_t>(group.id(), "indptr", {rows.indptr.size()}, rows.indptr);
}

void write_dense(hid_t file, const SparseRows& rows, const MapShape& shape, FeatureType storage) {
  std::vector<float> dense(rows.rows() * shape.size());
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    rows.expand(i, std::span(dense).subspan(i * shape.size(), shape.size()));
  }
  write_values(file, kActivations, dense_extents(rows.rows(), shape), dense, storage);
}

/// A file image with its size. In an uncompressed file no array can have more bytes than the file, so a
/// reader knows this limit before it allocates.
struct Image {
  hid_t file;
  std::size_t bytes;

  template <typename T>
  [[nodiscard]] std::vector<T> read(hid_t parent, const std::string& dataset) const {
    return hdf5::read<T>(parent, dataset, bytes / sizeof(T));
  }

  /// Activations. @throws Error if they are infinite, no numbers, or of another storage type
  [[nodiscard]] std::vector<float> read_values(hid_t parent, const std::string& dataset,
                                               FeatureType storage) const {
    const bool halves = storage == FeatureType::kFloat16;
    if (hdf5::is_float16(parent, dataset) != halves) {
      throw malformed(fmt::format("its values are {}float16, and its format version is {}",
                                  halves ? "not " : "", version_of(storage)));
    }
    std::vector<float> values;
    if (halves) {
      const std::vector<Float16> stored = read<Float16>(parent, dataset);
      values.resize(stored.size());
      std::transform(stored.begin(), stored.end(), values.begin(), to_float32);
    } else {
      values = read<float>(parent, dataset);
    }
    if (!all_finite(values)) throw malformed("a value is infinite or no number");
    return values;
  }
};

MapShape read_shape(hid_t file) {
  const std::vector<std::int64_t> extents = hdf5::read_numbers<std::int64_t>(file, "shape");
  constexpr std::int64_t kMaxExtent =
      1024;  // kMaxInputSize and any network's channels; the product of three fits an index
  static_assert(kMaxInputSize <= kMaxExtent &&
                kMaxExtent * kMaxExtent * kMaxExtent < std::numeric_limits<std::int32_t>::max());
  const bool sane = extents.size() == 3 &&
                    std::all_of(extents.begin(), extents.end(),
                                [](std::int64_t extent) { return extent >= 1 && extent <= kMaxExtent; });
  if (!sane) throw malformed(fmt::format("its shape is {}", fmt::join(extents, "x")));
  return {static_cast<int>(extents[0]), static_cast<int>(extents[1]), static_cast<int>(extents[2])};
}

std::vector<Sha256> read_keys(const Image& image) {
  const hdf5::Extents extents = hdf5::extents(image.file, "sha256");
  if (extents.size() != 2 || extents[1] != kDigestBytes) {
    throw malformed(fmt::format("sha256 is {}, needed rows x {}", fmt::join(extents, "x"), kDigestBytes));
  }
  const std::vector<std::uint8_t> bytes = image.read<std::uint8_t>(image.file, "sha256");
  std::vector<Sha256> keys(bytes.size() / kDigestBytes);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    std::memcpy(keys[i].bytes.data(), bytes.data() + i * kDigestBytes, kDigestBytes);
  }
  return keys;
}

std::vector<std::int32_t> read_nonzeros(const Image& image, std::size_t rows, std::size_t columns) {
  std::vector<std::int32_t> counts = image.read<std::int32_t>(image.file, "nonzeros");
  const bool sane = std::all_of(counts.begin(), counts.end(), [&](std::int32_t count) {
    return count >= 0 && static_cast<std::size_t>(count) <= columns;
  });
  if (counts.size() != rows || !sane) throw malformed("nonzeros does not fit sha256 and shape");
  return counts;
}

std::int32_t read_generation(hid_t file) {
  if (!hdf5::has_attribute(file, kGeneration)) return 0;
  const std::vector<std::int32_t> generation = hdf5::read_numbers<std::int32_t>(file, kGeneration);
  if (generation.size() != 1 || generation[0] < 1 || generation[0] > kMaxGeneration)
    throw malformed(fmt::format("its generation is {}", fmt::join(generation, ",")));
  return generation[0];
}

SegmentHeader read_header(const Image& image) {
  if (const std::string format = hdf5::read_string(image.file, "format"); format != kFormat) {
    throw malformed(fmt::format("its format is '{}', needed '{}'", format, kFormat));
  }
  const std::vector<std::int32_t> version = hdf5::read_numbers<std::int32_t>(image.file, "format_version");
  constexpr auto kTypes = named_values<FeatureType>();
  const auto storage = std::find_if(kTypes.begin(), kTypes.end(), [&](FeatureType type) {
    return version == std::vector<std::int32_t>{version_of(type)};
  });
  if (storage == kTypes.end()) {
    throw malformed(
        fmt::format("its format version is {}, this program reads 1 and 2", fmt::join(version, ",")));
  }
  const std::string tap_name = hdf5::read_string(image.file, "tap");
  const std::optional<Tap> tap = parse_tap(tap_name);
  if (!tap) throw malformed(fmt::format("its tap is '{}'", tap_name));
  SegmentHeader header;
  header.storage = *storage;
  header.tap = *tap;
  header.shape = read_shape(image.file);
  header.keys = read_keys(image);
  header.nonzeros = read_nonzeros(image, header.keys.size(), header.shape.size());
  header.origin = {hdf5::read_string(image.file, "engine"), hdf5::read_string(image.file, "engine_version"),
                   hdf5::read_string(image.file, "headstart_version"), hdf5::read_string(image.file, "host")};
  header.generation = read_generation(image.file);
  return header;
}

/// @throws Error unless indices ascend strictly within [0, columns)
void check_indices(std::span<const std::int32_t> indices, std::int64_t columns, std::size_t row) {
  if (indices.empty()) return;
  bool ascending = indices.front() >= 0 && indices.back() < columns;
  for (std::size_t i = 1; i < indices.size(); ++i)
    ascending &= indices[i - 1] < indices[i];  // no early exit, so that the loop vectorises
  if (!ascending)
    throw malformed(fmt::format("row {}: its indices do not ascend within 0..{}", row, columns - 1));
}

SparseRows read_sparse(const Image& image, const SegmentHeader& header) {
  const hdf5::Group group = hdf5::open_group(image.file, kActivations);
  const auto columns = static_cast<std::int64_t>(header.shape.size());
  const std::vector<std::int64_t> shape = hdf5::read_numbers<std::int64_t>(group.id(), "shape");
  if (shape != std::vector<std::int64_t>{static_cast<std::int64_t>(header.keys.size()), columns}) {
    throw malformed(
        fmt::format("activations are {}, needed {}x{}", fmt::join(shape, "x"), header.keys.size(), columns));
  }
  SparseRows rows;
  rows.columns = columns;
  rows.indptr = image.read<std::int64_t>(group.id(), "indptr");
  rows.indices = image.read<std::int32_t>(group.id(), "indices");
  rows.values = image.read_values(group.id(), "data", header.storage);

  std::vector<std::int64_t> needed{0};  // implied by `nonzeros`; equality implies ascending and in bounds
  for (const std::int32_t count : header.nonzeros) needed.push_back(needed.back() + count);
  if (rows.indptr != needed) throw malformed("indptr does not fit nonzeros");
  const auto total = static_cast<std::size_t>(needed.back());
  if (rows.indices.size() != total || rows.values.size() != total) {
    throw malformed(fmt::format("it has {} indices and {} values, needed {} of each", rows.indices.size(),
                                rows.values.size(), total));
  }
  for (std::size_t i = 0; i < rows.rows(); ++i) check_indices(rows.row_indices(i), columns, i);
  return rows;
}

SparseRows read_dense(const Image& image, const SegmentHeader& header) {
  const hdf5::Extents needed = dense_extents(header.keys.size(), header.shape);
  if (const hdf5::Extents found = hdf5::extents(image.file, kActivations); found != needed) {
    throw malformed(
        fmt::format("activations are {}, needed {}", fmt::join(found, "x"), fmt::join(needed, "x")));
  }
  const std::vector<float> dense = image.read_values(image.file, kActivations, header.storage);
  const std::size_t columns = header.shape.size();
  SparseRows rows;
  rows.columns = static_cast<std::int64_t>(columns);
  for (std::size_t i = 0; i < header.keys.size(); ++i) {
    rows.append_dense(std::span(dense).subspan(i * columns, columns));
  }
  if (rows.counts() != header.nonzeros) throw malformed("activations do not fit nonzeros");
  return rows;
}

}  // namespace

std::size_t activation_bytes(std::size_t rows, std::size_t nonzeros, const MapShape& shape,
                             FeatureType storage) {
  return std::min(sparse_bytes(rows, nonzeros, storage), dense_bytes(rows, shape, storage));
}

std::vector<std::byte> encode_segment(const Segment& segment) {
  assert(segment.keys.size() == segment.rows.rows());
  assert(segment.rows.columns == static_cast<std::int64_t>(segment.shape.size()));
  assert(storable(segment));
  const hdf5::File file = hdf5::create_in_memory();
  write_header(file.id(), segment);
  if (sparse_is_smaller(segment)) {
    write_sparse(file.id(), segment.rows, segment.storage);
  } else {
    write_dense(file.id(), segment.rows, segment.shape, segment.storage);
  }
  return hdf5::file_image(file);
}

SegmentHeader decode_segment_header(std::span<const std::byte> bytes) {
  const hdf5::File file = hdf5::open_image(bytes);
  return read_header({file.id(), bytes.size()});
}

Segment decode_segment(std::span<const std::byte> bytes) {
  const hdf5::File file = hdf5::open_image(bytes);
  const Image image{file.id(), bytes.size()};
  SegmentHeader header = read_header(image);
  SparseRows rows =
      hdf5::is_group(file.id(), kActivations) ? read_sparse(image, header) : read_dense(image, header);
  return {header.tap,     header.shape,     std::move(header.keys), std::move(rows), std::move(header.origin),
          header.storage, header.generation};
}

std::optional<std::string> misfit(const SegmentKind& found, const SegmentKind& wanted) {
  if (found.tap != wanted.tap || found.shape != wanted.shape) {
    return fmt::format("it holds {} of {}x{}x{}, not {} of {}x{}x{}", to_string(found.tap),
                       found.shape.height, found.shape.width, found.shape.channels, to_string(wanted.tap),
                       wanted.shape.height, wanted.shape.width, wanted.shape.channels);
  }
  if (found.storage != wanted.storage)
    return fmt::format("it holds {}, not {}", to_string(found.storage), to_string(wanted.storage));
  return std::nullopt;
}

std::string segment_file_name(const Sha256& digest) { return "segment-" + digest.hex() + ".h5"; }

}  // namespace headstart

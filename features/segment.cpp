// features/segment.cpp
#include "features/segment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <optional>

#include "data/error.hpp"
#include "features/hdf5.hpp"

namespace headstart {
namespace {

constexpr std::int32_t kFormatVersion = 1;
constexpr std::uint64_t kMaxRows = std::uint64_t{1} << 24;
constexpr std::uint64_t kMaxActivations = std::uint64_t{1} << 32;

Error malformed(std::string_view what) {
  return Error{Error::Kind::kFailed, "malformed segment", what, "it will be extracted again"};
}

std::vector<std::uint8_t> joined(const std::vector<Sha256>& keys) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(keys.size() * sizeof(Sha256::bytes));
  for (const Sha256& key : keys) bytes.insert(bytes.end(), key.bytes.begin(), key.bytes.end());
  return bytes;
}

bool sparse_is_smaller(const CsrRows& rows) {
  const std::size_t sparse =
      rows.values.size() * (sizeof(float) + sizeof(std::int32_t)) + rows.indptr.size() * sizeof(std::int64_t);
  const std::size_t dense = rows.rows() * static_cast<std::size_t>(rows.columns) * sizeof(float);
  return sparse < dense;
}

/// AnnData's on-disk convention for a sparse matrix.
void write_sparse(hid_t file, const CsrRows& rows) {
  const hdf5::Group group = hdf5::create_group(file, "activations");
  hdf5::write_variable_string(group.id(), "encoding-type", "csr_matrix");
  hdf5::write_variable_string(group.id(), "encoding-version", "0.1.0");
  const std::array<std::int64_t, 2> shape{static_cast<std::int64_t>(rows.rows()), rows.columns};
  hdf5::write_numbers<std::int64_t>(group.id(), "shape", {2}, shape);
  hdf5::write<float>(group.id(), "data", {rows.values.size()}, rows.values);
  hdf5::write<std::int32_t>(group.id(), "indices", {rows.indices.size()}, rows.indices);
  hdf5::write<std::int64_t>(group.id(), "indptr", {rows.indptr.size()}, rows.indptr);
}

void write_dense(hid_t file, const CsrRows& rows, const MapShape& shape) {
  const auto columns = static_cast<std::size_t>(rows.columns);
  std::vector<float> dense(rows.rows() * columns);
  for (std::size_t i = 0; i < rows.rows(); ++i)
    rows.expand(i, std::span(dense).subspan(i * columns, columns));
  hdf5::write<float>(file, "activations",
                     {rows.rows(), static_cast<std::uint64_t>(shape.height),
                      static_cast<std::uint64_t>(shape.width), static_cast<std::uint64_t>(shape.channels)},
                     dense);
}

bool all_finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

void check_sparse(const CsrRows& rows, std::size_t count) {
  if (rows.indptr.size() != count + 1 || rows.indptr.front() != 0 ||
      rows.indptr.back() != static_cast<std::int64_t>(rows.values.size()) ||
      rows.indices.size() != rows.values.size()) {
    throw malformed("activations: the counts disagree");
  }
  // First that every row lies inside, then what is in it: a later offset must not be used before it is known
  // to be sane.
  if (!std::is_sorted(rows.indptr.begin(), rows.indptr.end()))
    throw malformed("activations: indptr descends");
  for (std::size_t i = 0; i < count; ++i) {
    const auto indices = rows.row_indices(i);
    std::int64_t previous = -1;
    for (const std::int32_t index : indices) {
      if (index <= previous) throw malformed(fmt::format("activations: row {}: indices do not ascend", i));
      previous = index;
    }
    if (previous >= rows.columns) throw malformed(fmt::format("activations: row {}: index {}", i, previous));
  }
  if (!all_finite(rows.values)) throw malformed("activations: a value is not finite");
}

CsrRows read_sparse(hid_t file, std::int64_t columns, std::size_t count) {
  const hdf5::Group group = hdf5::open_group(file, "activations");
  const std::vector<std::int64_t> shape = hdf5::read_numbers<std::int64_t>(group.id(), "shape");
  if (shape != std::vector<std::int64_t>{static_cast<std::int64_t>(count), columns}) {
    throw malformed(
        fmt::format("activations: shape is {}, needed {} x {}", fmt::join(shape, " x "), count, columns));
  }
  CsrRows rows;
  rows.columns = columns;
  rows.indptr = hdf5::read<std::int64_t>(group.id(), "indptr", kMaxRows + 1);
  rows.indices = hdf5::read<std::int32_t>(group.id(), "indices", kMaxActivations);
  rows.values = hdf5::read<float>(group.id(), "data", kMaxActivations);
  check_sparse(rows, count);
  return rows;
}

CsrRows read_dense(hid_t file, const MapShape& shape, std::size_t count) {
  const hdf5::Extents needed{count, static_cast<std::uint64_t>(shape.height),
                             static_cast<std::uint64_t>(shape.width),
                             static_cast<std::uint64_t>(shape.channels)};
  const hdf5::Extents found = hdf5::extents(file, "activations");
  if (found != needed) {
    throw malformed(fmt::format("activations: shape is {}, needed {}", fmt::join(found, " x "),
                                fmt::join(needed, " x ")));
  }
  const std::vector<float> dense = hdf5::read<float>(file, "activations", kMaxActivations);
  if (!all_finite(dense)) throw malformed("activations: a value is not finite");
  CsrRows rows;
  rows.columns = static_cast<std::int64_t>(shape.size());
  for (std::size_t i = 0; i < count; ++i)
    rows.append_dense(std::span(dense).subspan(i * shape.size(), shape.size()));
  return rows;
}

MapShape read_shape(hid_t file) {
  const std::vector<std::int64_t> extents = hdf5::read_numbers<std::int64_t>(file, "shape");
  if (extents.size() != 3 ||
      std::any_of(extents.begin(), extents.end(), [](std::int64_t e) { return e < 1 || e > 4096; })) {
    throw malformed(fmt::format("shape is {}", fmt::join(extents, " x ")));
  }
  return {static_cast<int>(extents[0]), static_cast<int>(extents[1]), static_cast<int>(extents[2])};
}

SegmentHeader read_header(hid_t file) {
  const std::vector<std::int32_t> version = hdf5::read_numbers<std::int32_t>(file, "format_version");
  if (version != std::vector<std::int32_t>{kFormatVersion}) {
    throw malformed(fmt::format("format version is {}, this headstart reads {}", fmt::join(version, ","),
                                kFormatVersion));
  }
  SegmentHeader header;
  const std::optional<Tap> tap = parse_tap(hdf5::read_string(file, "tap"));
  if (!tap) throw malformed("the tap is unknown");
  header.tap = *tap;
  header.shape = read_shape(file);
  const hdf5::Extents extents = hdf5::extents(file, "sha256");
  if (extents.size() != 2 || extents[1] != sizeof(Sha256::bytes))
    throw malformed("sha256: not one digest a row");
  const std::vector<std::uint8_t> bytes =
      hdf5::read<std::uint8_t>(file, "sha256", kMaxRows * sizeof(Sha256::bytes));
  header.keys.resize(extents[0]);
  for (std::size_t i = 0; i < header.keys.size(); ++i) {
    std::memcpy(header.keys[i].bytes.data(), bytes.data() + i * sizeof(Sha256::bytes), sizeof(Sha256::bytes));
  }
  header.origin = {hdf5::read_string(file, "engine"), hdf5::read_string(file, "engine_version"),
                   hdf5::read_string(file, "headstart_version"), hdf5::read_string(file, "host")};
  return header;
}

}  // namespace

std::vector<std::byte> encode_segment(const Segment& segment) {
  const hdf5::File file = hdf5::create_in_memory();
  const std::array<std::int32_t, 1> version{kFormatVersion};
  const std::array<std::int64_t, 3> shape{segment.shape.height, segment.shape.width, segment.shape.channels};
  hdf5::write_numbers<std::int32_t>(file.id(), "format_version", {}, version);
  hdf5::write_string(file.id(), "tap", std::string(to_string(segment.tap)));
  hdf5::write_numbers<std::int64_t>(file.id(), "shape", {3}, shape);
  hdf5::write_string(file.id(), "engine", segment.origin.engine);
  hdf5::write_string(file.id(), "engine_version", segment.origin.engine_version);
  hdf5::write_string(file.id(), "headstart_version", segment.origin.headstart_version);
  hdf5::write_string(file.id(), "host", segment.origin.host);
  hdf5::write<std::uint8_t>(file.id(), "sha256", {segment.keys.size(), sizeof(Sha256::bytes)},
                            joined(segment.keys));
  if (sparse_is_smaller(segment.rows)) {
    write_sparse(file.id(), segment.rows);
  } else {
    write_dense(file.id(), segment.rows, segment.shape);
  }
  return hdf5::file_image(file);
}

SegmentHeader decode_segment_header(std::span<const std::byte> bytes) {
  return read_header(hdf5::open_image(bytes).id());
}

Segment decode_segment(std::span<const std::byte> bytes) {
  const hdf5::File file = hdf5::open_image(bytes);
  SegmentHeader header = read_header(file.id());
  const std::size_t count = header.keys.size();
  const bool sparse = hdf5::is_group(file.id(), "activations");
  CsrRows rows = sparse ? read_sparse(file.id(), static_cast<std::int64_t>(header.shape.size()), count)
                        : read_dense(file.id(), header.shape, count);
  return {header.tap, header.shape, std::move(header.keys), std::move(rows), std::move(header.origin)};
}

std::string segment_file_name(const Sha256& digest) { return "segment-" + digest.hex() + ".h5"; }

}  // namespace headstart

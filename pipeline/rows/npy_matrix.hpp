// pipeline/rows/npy_matrix.hpp: a matrix in a .npy file, read a few rows at a time. Read, not mapped into
// memory: a mapped file that somebody truncates kills the process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "data/file_descriptor.hpp"
#include "pipeline/rows/npy_header.hpp"

namespace headstart {

class NpyMatrix {
 public:
  /// @throws Error kFailed if `file` can't be read, or is no matrix of float16, float32 or float64 values
  explicit NpyMatrix(const std::filesystem::path& file);

  [[nodiscard]] std::uint64_t rows() const noexcept { return header_.rows; }
  [[nodiscard]] std::uint64_t columns() const noexcept { return header_.columns; }
  /// Reads rows first, first + 1, ... as float32. A float64 beyond float32 becomes infinite.
  /// @param values  a multiple of the columns; all rows must exist
  /// @throws Error kFailed if the file can't be read any more
  void read(std::uint64_t first, std::span<float> values) const;

 private:
  void read_bytes(std::uint64_t offset, std::span<std::byte> bytes) const;

  std::filesystem::path path_;
  FileDescriptor file_;
  NpyHeader header_;
};

}  // namespace headstart

// memory/aligned_floats.hpp: owns a large array of floats that begins on a cache line, on huge pages where
// the system has them. Surprise: the constructor does not write to the memory. The thread that first writes a
// part decides where that part lives (NUMA).
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace headstart {

/// Owns the memory; moved, not copied.
class AlignedFloats {
 public:
  AlignedFloats() = default;
  /// @param count  may be zero
  /// @throws std::bad_alloc
  explicit AlignedFloats(std::size_t count);
  /// Floats in a file of `folder` that has no name, so that they may be more than memory: the system writes
  /// parts that are not in use to the disk. The file ends with the array, or with the process.
  /// @param count  may be zero
  /// @throws std::system_error if the disk has no room for all of them, or `folder` can't be written
  [[nodiscard]] static AlignedFloats in_file(std::size_t count, const std::filesystem::path& folder);

  /// All floats.
  [[nodiscard]] std::span<float> span() noexcept { return {data_.get(), count_}; }
  /// All floats.
  [[nodiscard]] std::span<const float> span() const noexcept { return {data_.get(), count_}; }

 private:
  struct Free {
    Free() noexcept : mapped(0) {}
    explicit Free(std::size_t bytes) noexcept : mapped(bytes) {}
    std::size_t mapped;  // bytes; 0: from aligned_alloc()
    void operator()(float* data) const noexcept;
  };
  std::unique_ptr<float[], Free> data_;
  std::size_t count_ = 0;
};

/// Asks for huge pages under floats that nothing has written yet. With small pages, the page fault of each
/// 4 KiB takes as long as the work on these 4 KiB. The call is a hint: without huge pages everything is
/// slower, and still right.
void prefer_huge_pages(std::span<float> floats) noexcept;

}  // namespace headstart

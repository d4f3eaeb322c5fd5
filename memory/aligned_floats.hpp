// memory/aligned_floats.hpp: owns a large array of floats that begins on a cache line, on huge pages where
// the system has them. Surprise: the constructor does not write to the memory. The thread that first writes a
// part decides where that part lives (NUMA).
#pragma once

#include <cstddef>
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

  /// All floats.
  [[nodiscard]] std::span<float> span() noexcept { return {data_.get(), count_}; }
  /// All floats.
  [[nodiscard]] std::span<const float> span() const noexcept { return {data_.get(), count_}; }

 private:
  struct Free {
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

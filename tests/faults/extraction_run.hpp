// tests/faults/extraction_run.hpp: runs of `headstart extract` that publish many segments, and what their
// caches hold, held against an undisturbed run bit by bit. block1_pool of the sample images: 2 MB a row, so
// that a segment is full after 30 rows and a run of a second or two has several.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/sha256.hpp"
#include "memory/sparse_rows.hpp"
#include "tests/support/process.hpp"

namespace headstart::test {

inline constexpr int kImages = 50;  ///< in the dataset of these runs

/// Made once in this process.
[[nodiscard]] const std::filesystem::path& extraction_dataset();

/// @param more  further arguments
[[nodiscard]] ProcessResult extract_into(const std::filesystem::path& cache,
                                         const ProcessOptions& options = {},
                                         const std::vector<std::string>& more = {});

/// The keys of the dataset's images.
[[nodiscard]] const std::vector<Sha256>& extraction_keys();

struct CacheContent {
  std::size_t rows = 0;   ///< of the dataset's images
  std::size_t wrong = 0;  ///< of those, how many differ from the undisturbed run
  std::vector<std::string> warnings;
};
/// Opens the cache as any run does and compares every row that it has.
[[nodiscard]] CacheContent content_of(const std::filesystem::path& cache);

/// N of "N computed" in what extract printed.
[[nodiscard]] std::size_t computed(const ProcessResult& result);

}  // namespace headstart::test

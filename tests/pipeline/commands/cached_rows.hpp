// tests/pipeline/commands/cached_rows.hpp: what is in a cache, whatever segments it is spread over.
#pragma once

#include <filesystem>
#include <map>
#include <utility>
#include <vector>

#include "data/sha256.hpp"

namespace headstart::test {

/// Columns and values of what is not zero.
using CachedRow = std::pair<std::vector<std::int32_t>, std::vector<float>>;

/// Every row of the one fingerprint in `cache` at block5_pool, by key. A key with two different rows fails
/// the test. @throws Error for a segment that can't be read
[[nodiscard]] std::map<Sha256, CachedRow> cached_rows(const std::filesystem::path& cache);

/// Its segments.
[[nodiscard]] std::vector<std::filesystem::path> cached_segments(const std::filesystem::path& cache);

}  // namespace headstart::test

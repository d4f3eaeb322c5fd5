// tests/pipeline/commands/cached_rows.cpp
#include "tests/pipeline/commands/cached_rows.hpp"

#include <gtest/gtest.h>

#include <span>
#include <string>

#include "features/cache/segment.hpp"
#include "tests/support/process.hpp"

namespace headstart::test {

namespace fs = std::filesystem;

std::vector<fs::path> cached_segments(const fs::path& cache) {
  std::vector<fs::path> segments;
  std::error_code error;  // not there yet
  for (fs::recursive_directory_iterator entry(cache, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with("segment-") && name.ends_with(".h5")) segments.push_back(entry->path());
  }
  return segments;
}

std::map<Sha256, CachedRow> cached_rows(const fs::path& cache) {
  std::map<Sha256, CachedRow> rows;
  for (const fs::path& file : cached_segments(cache)) {
    if (file.parent_path().filename() != "block5_pool") continue;
    const std::string bytes = read_text(file.string());
    const Segment segment = decode_segment(std::as_bytes(std::span(bytes)));
    for (std::size_t i = 0; i < segment.keys.size(); ++i) {
      const auto columns = segment.rows.row_indices(i);
      const auto values = segment.rows.row_values(i);
      CachedRow row{{columns.begin(), columns.end()}, {values.begin(), values.end()}};
      const auto [at, is_new] = rows.try_emplace(segment.keys[i], row);
      EXPECT_TRUE(is_new || at->second == row) << file << " has another row for " << segment.keys[i].hex();
    }
  }
  return rows;
}

}  // namespace headstart::test

// pipeline/cache_command.cpp: headstart cache list.
#include <fmt/format.h>

#include "features/cache.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/text_table.hpp"

namespace headstart {

void run_cache_list(const CacheListOptions& options, const Session& session) {
  const auto folder = options.cache.empty() ? default_cache_folder() : options.cache;
  const auto listings = list_cache(folder, [&](const std::string& line) { session.console.warn(line); });
  if (listings.empty()) {
    fmt::print("{}: no cached features\n", folder.string());
    return;
  }
  std::vector<std::vector<std::string>> rows{{"fingerprint", "tap", "rows", "segments", "size", "engine"}};
  for (const CacheListing& listing : listings) {
    rows.push_back({listing.fingerprint, listing.tap, fmt::format("{}", listing.rows),
                    fmt::format("{}", listing.segments), format_bytes(listing.bytes), listing.engine});
  }
  fmt::print("{}\n{}", folder.string(), text_table(rows));
}

}  // namespace headstart

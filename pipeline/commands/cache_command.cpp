// pipeline/commands/cache_command.cpp: headstart cache list, verify, compact, prune.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>

#include "data/error.hpp"
#include "features/cache/cache.hpp"
#include "features/cache/cache_folder.hpp"
#include "pipeline/commands/commands.hpp"
#include "pipeline/options/quantities.hpp"
#include "pipeline/options/stage_one_description.hpp"
#include "pipeline/process/text_table.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

struct CacheOptions {
  std::filesystem::path cache;  ///< empty: default_cache_folder()
};

struct CachePruneOptions : CacheOptions {
  PruneOptions prune;
};

void describe_cache(OptionList& list, CacheOptions& options) { describe_cache_folder(list, options.cache); }

/// An option whose number has a unit.
template <typename T>
void describe_quantity(OptionList& list, const OptionFacts& facts, std::optional<T>& target,
                       std::optional<T> (*parse)(std::string_view)) {
  list.add(
      facts, OptionKind::kText, {},
      [&target, parse, facts](const std::vector<std::string>& words) {
        target = parse(words.back());
        if (!target)
          throw WrongValue(fmt::format("is '{}', needed something like {}", words.back(), facts.value));
      },
      []() -> std::optional<ConfigValue> { return std::nullopt; });
}

void describe_cache_prune(OptionList& list, CachePruneOptions& options) {
  describe_cache(list, options);
  describe_quantity(
      list, {.name = "older-than", .help = "Those written so long ago: s, m, h, d or w", .value = "30d"},
      options.prune.older_than_s, parse_duration);
  list({.name = "fingerprint", .help = "Those of this fingerprint, as cache list shows it", .value = "HEX"},
       options.prune.fingerprint);
  describe_quantity(list,
                    {.name = "max-size", .help = "The oldest, until the rest is no larger", .value = "20GB"},
                    options.prune.max_bytes, parse_bytes);
  list({.name = "dry-run", .help = "Only say what would be removed", .in_config = false},
       options.prune.dry_run);
}

fs::path folder_of(const CacheOptions& options) {
  return options.cache.empty() ? default_cache_folder() : options.cache;
}

/// "2026-11-25 14:03", local time.
std::string format_time(fs::file_time_type time) {
  const auto system = std::chrono::file_clock::to_sys(time);
  return fmt::format("{:%Y-%m-%d %H:%M}",
                     fmt::localtime(std::chrono::system_clock::to_time_t(
                         std::chrono::time_point_cast<std::chrono::system_clock::duration>(system))));
}

std::string count_of(std::uint64_t count, std::string_view one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

void tell_faults(const std::vector<CacheFault>& faults, Console& console) {
  for (const CacheFault& fault : faults)
    console.warn(printable(fmt::format("{}: {}", fault.path.string(), fault.reason)));
}

void run_cache_list(const CacheOptions& options, const Session& session) {
  const fs::path folder = folder_of(options);
  const auto listings = list_cache(folder, [&](const std::string& line) { session.console.warn(line); });
  if (listings.empty()) {
    fmt::print("{}: no cached features\n", folder.string());
    return;
  }
  std::vector<std::vector<std::string>> rows{{"fingerprint", "network", "tap", "engine", "stored as", "rows",
                                              "segments", "size", "not zero", "newest"}};
  for (const CacheListing& listing : listings) {
    const bool any = listing.segments > 0;
    rows.push_back({listing.folder.fingerprint, listing.network.empty() ? "-" : listing.network,
                    listing.folder.tap.name, listing.engine, listing.storage, fmt::format("{}", listing.rows),
                    fmt::format("{}", listing.segments), format_bytes(listing.bytes),
                    fmt::format("{:.1f} %", 100.0 * listing.density),
                    any ? format_time(listing.newest) : "-"});
  }
  fmt::print("{}\n{}", folder.string(), text_table(rows, 5));
}

void run_cache_verify(const CacheOptions& options, const Session& session) {
  const fs::path folder = folder_of(options);
  Console& console = session.console;
  const CacheVerification found = verify_cache(folder, [&](std::uint64_t done, std::uint64_t total) {
    console.progress("check", done, total, "segments", "");
  });
  console.progress_done();
  tell_faults(found.faults, console);
  fmt::print("{}: {} with {} ({}) are whole\n", folder.string(), count_of(found.segments, "segment"),
             count_of(found.rows, "row"), format_bytes(found.bytes));
  if (!found.faults.empty()) {
    throw Error{
        Error::Kind::kFailed, "the cache is damaged",
        fmt::format("{}: {}", folder.string(), count_of(found.faults.size(), "fault")),
        "nothing has to be done: the next run over those images sets it aside and extracts them again"};
  }
}

void run_cache_compact(const CacheOptions& options, const Session& session) {
  const fs::path root = folder_of(options);
  std::vector<std::vector<std::string>> rows{
      {"fingerprint", "tap", "segments merged", "into", "size before", "after"}};
  for (const TapFolder& folder : list_taps(root)) {
    const auto configuration = configuration_of(folder);
    if (!configuration) {
      session.console.warn(printable(fmt::format(
          "not compacted: {}: its extractor.json cannot be read, or is not the one it is named after",
          folder.path.string())));
      continue;
    }
    FeatureCache cache(root, *configuration, folder.tap,
                       [&](const std::string& line) { session.console.warn(line); });
    const FeatureCache::Compaction done = cache.compact();
    cache.save_index();
    if (done.elsewhere) {
      session.console.warn(printable(
          fmt::format("not compacted: {}: another process is compacting it", folder.path.string())));
    }
    if (done.merged == 0) continue;
    rows.push_back({folder.fingerprint, std::string(to_string(folder.tap)), fmt::format("{}", done.merged),
                    fmt::format("{}", done.into), format_bytes(done.bytes_before),
                    format_bytes(done.bytes_after)});
  }
  if (rows.size() == 1) {
    fmt::print("{}: there is nothing to merge\n", root.string());
  } else {
    fmt::print("{}\n{}", root.string(), text_table(rows, 2));
  }
}

void run_cache_prune(const CachePruneOptions& options, const Session& session) {
  const fs::path folder = folder_of(options);
  if (!options.prune.fingerprint && !options.prune.older_than_s && !options.prune.max_bytes) {
    throw Error{Error::Kind::kUsage, "wrong usage", "cache prune: nothing says what to remove",
                "pass --older-than, --fingerprint or --max-size"};
  }
  if (const std::optional<std::string>& wanted = options.prune.fingerprint) {
    const std::vector<TapFolder> taps = list_taps(folder);
    if (std::none_of(taps.begin(), taps.end(),
                     [&](const TapFolder& tap) { return tap.fingerprint == *wanted; })) {
      throw Error{
          Error::Kind::kUsage, "wrong usage",
          fmt::format("--fingerprint: {} has no '{}'", printable(folder.string()), printable(*wanted)),
          "give one that headstart cache list shows"};
    }
  }
  const Pruned pruned = prune_cache(folder, options.prune);
  tell_faults(pruned.faults, session.console);
  fmt::print("{}: {} ({}) {}, {} left\n", folder.string(), count_of(pruned.files, "segment"),
             format_bytes(pruned.bytes), options.prune.dry_run ? "would be removed" : "removed",
             format_bytes(pruned.bytes_left));
  if (!pruned.faults.empty()) {
    throw Error{Error::Kind::kFailed, "not everything was removed",
                fmt::format("{}: {}", folder.string(), count_of(pruned.faults.size(), "file")),
                "see the warnings above"};
  }
}

}  // namespace

Command cache_list_command() {
  return make_command<CacheOptions>({.name = "cache list",
                                     .purpose = "What is cached, as its indexes have it (verify reads the "
                                                "rows): one line for each fingerprint and tap"},
                                    describe_cache, run_cache_list);
}

Command cache_verify_command() {
  return make_command<CacheOptions>(
      {.name = "cache verify",
       .purpose = "Read everything and name every damaged segment; exit code 1 if there is one"},
      describe_cache, run_cache_verify);
}

Command cache_compact_command() {
  return make_command<CacheOptions>(
      {.name = "cache compact", .purpose = "Merge small segments, as extract does by itself in time"},
      describe_cache, run_cache_compact);
}

Command cache_prune_command() {
  return make_command<CachePruneOptions>(
      {.name = "cache prune", .purpose = "Remove segments; all that is given has to hold"},
      describe_cache_prune, run_cache_prune);
}

}  // namespace headstart

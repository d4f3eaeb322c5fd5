// tests/faults/extraction_run.cpp
#include "tests/faults/extraction_run.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <stdexcept>
#include <variant>

#include "data/file_bytes.hpp"
#include "features/cache/cache.hpp"
#include "features/cache/cache_folder.hpp"
#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;

const Tap kTap{"block1_pool"};

ExtractorConfiguration configuration_in(const fs::path& cache) {
  for (const TapFolder& folder : list_taps(cache)) {
    if (const auto configuration = configuration_of(folder)) return *configuration;
  }
  throw std::runtime_error("no configuration in " + cache.string());
}

/// What an undisturbed run caches.
struct Undisturbed {
  ExtractorConfiguration configuration;
  std::map<Sha256, std::size_t> row_of;
  SparseRows rows;
};

const Undisturbed& undisturbed() {
  static const Undisturbed result = [] {
    const ScratchFolder scratch;
    const ProcessResult run = extract_into(scratch / "cache");
    if (run.exit_code != 0) throw std::runtime_error(run.err);
    Undisturbed made;
    made.configuration = configuration_in(scratch / "cache");
    FeatureCache cache(scratch / "cache", made.configuration, kTap,
                       [](const std::string& line) { throw std::runtime_error(line); });
    for (const Sha256& key : extraction_keys()) made.row_of.emplace(key, made.row_of.size());
    made.rows = cache.read(extraction_keys());
    return made;
  }();
  return result;
}

}  // namespace

const fs::path& extraction_dataset() {
  static const ScratchFolder scratch;
  static const fs::path dataset = [] {
    copy_samples(scratch / "dataset", {"birds", "bugs", "fruit", "music", "roadsigns"}, kImages / 5);
    return scratch / "dataset";
  }();
  return dataset;
}

ProcessResult extract_into(const fs::path& cache, const ProcessOptions& options,
                           const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"extract", extraction_dataset().string(), "--cache",  cache.string(),
                                     "--tap",   std::string(to_string(kTap)),  "--engine", "native"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return headstart_process(arguments, options);
}

const std::vector<Sha256>& extraction_keys() {
  static const std::vector<Sha256> keys = [] {
    std::set<Sha256> found;
    for (const auto& entry : fs::recursive_directory_iterator(extraction_dataset())) {
      if (!entry.is_regular_file()) continue;
      found.insert(sha256(std::get<std::vector<std::byte>>(read_file(entry.path(), kMaxImageFileBytes))));
    }
    return std::vector<Sha256>(found.begin(), found.end());
  }();
  return keys;
}

CacheContent content_of(const fs::path& cache) {
  CacheContent content;
  if (list_taps(cache).empty()) return content;
  const Undisturbed& expected = undisturbed();
  FeatureCache found(cache, expected.configuration, kTap,
                     [&](const std::string& line) { content.warnings.push_back(line); });
  std::vector<Sha256> keys;
  std::copy_if(extraction_keys().begin(), extraction_keys().end(), std::back_inserter(keys),
               [&](const Sha256& key) { return found.contains(key); });
  content.rows = keys.size();
  const SparseRows rows = found.read(keys);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::size_t wanted = expected.row_of.at(keys[i]);
    if (!std::ranges::equal(rows.row_indices(i), expected.rows.row_indices(wanted)) ||
        !std::ranges::equal(rows.row_values(i), expected.rows.row_values(wanted)))
      ++content.wrong;
  }
  return content;
}

std::size_t computed(const ProcessResult& result) {
  std::smatch match;
  if (!std::regex_search(result.out, match, std::regex("([0-9]+) computed")))
    throw std::runtime_error("extract did not say what it computed: " + result.out + result.err);
  return std::stoul(match[1]);
}

}  // namespace headstart::test

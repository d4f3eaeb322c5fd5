// examples/read_cache.cpp: what a cache holds: a line for each extractor configuration and tap; and for one
// image, where one is named, its row at each of them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <headstart/data/archive/image_reader.hpp>
#include <headstart/data/error.hpp>
#include <headstart/features/cache/cache.hpp>
#include <headstart/features/cache/cache_folder.hpp>
#include <optional>
#include <string>

namespace {

using namespace headstart;

void warn(const std::string& line) { fmt::print(stderr, "read_cache: warning: {}\n", line); }

/// A row's key: the SHA-256 of the image's bytes, whatever its name.
Sha256 key_of(const std::filesystem::path& image) {
  const auto bytes = ImageReader().read({.file = image});
  if (const auto* reject = std::get_if<Reject>(&bytes))
    throw Error{Error::Kind::kUsage, "cannot read the image", printable(image.string()), reject->reason};
  return sha256(std::get<std::vector<std::byte>>(bytes));
}

void print_row(const std::filesystem::path& root, const TapFolder& folder, const Sha256& key) {
  const std::optional<ExtractorConfiguration> configuration = configuration_of(folder);
  if (!configuration) return warn(folder.path.string() + ": its extractor.json is not the one of its name");
  FeatureCache cache(root, *configuration, folder.tap, warn);
  if (!cache.contains(key)) return fmt::print("  the image has no row here\n");
  const SparseRows rows = cache.read({&key, 1});
  double squares = 0.0;
  for (const float value : rows.values) squares += static_cast<double>(value) * value;
  const MapShape shape = tap_shape(configuration->network, folder.tap, configuration->resize.size);
  fmt::print("  the image's row: {} x {} x {}, {} of {} activations are not zero, norm {:.4f}\n",
             shape.height, shape.width, shape.channels, rows.values.size(), rows.columns, std::sqrt(squares));
}

void print_cache(const std::filesystem::path& root, const std::optional<Sha256>& key) {
  for (const CacheListing& listing : list_cache(root, warn)) {
    fmt::print("{} {}: {} rows in {} segments, {} bytes, {}, by {}\n", listing.folder.fingerprint,
               to_string(listing.folder.tap), listing.rows, listing.segments, listing.bytes, listing.storage,
               listing.engine);
    if (key) print_row(root, listing.folder, *key);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    fmt::print(stderr, "read_cache: error: wrong usage: read_cache CACHE [IMAGE]\n");
    return exit_code(Error::Kind::kUsage);
  }
  try {
    print_cache(argv[1], argc == 3 ? std::optional(key_of(argv[2])) : std::nullopt);
  } catch (const Error& error) {
    fmt::print(stderr, "read_cache: error: {}\n", error.what());
    return exit_code(error.kind());
  } catch (const std::exception& error) {
    fmt::print(stderr, "read_cache: error: {}\n", error.what());
    return 1;
  }
}

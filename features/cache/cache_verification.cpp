// features/cache/cache_verification.cpp: reads and checks the whole cache for `headstart cache verify`.
#include <fmt/format.h>

#include <numeric>
#include <system_error>
#include <variant>

#include "data/error.hpp"
#include "features/cache/cache_folder.hpp"
#include "features/cache/segment.hpp"
#include "features/cache/segment_files.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

struct TapSegments {
  TapFolder folder;
  std::optional<ExtractorConfiguration> configuration;
  std::vector<fs::path> files;
};

/// The fault of a segment whose digest is right; nothing if all is well.
std::optional<std::string> find_fault(const SegmentFile& segment, const TapSegments& tap,
                                      CacheVerification& result) {
  try {
    const Segment decoded = decode_segment(segment.bytes);
    if (decoded.tap != tap.folder.tap) return fmt::format("it holds {}", to_string(decoded.tap));
    if (tap.configuration) {
      const MapShape wanted =
          tap_shape(tap.configuration->network, tap.folder.tap, tap.configuration->resize.size);
      if (decoded.shape != wanted) {
        return fmt::format("its maps are {}x{}x{}, needed {}x{}x{}", decoded.shape.height,
                           decoded.shape.width, decoded.shape.channels, wanted.height, wanted.width,
                           wanted.channels);
      }
      if (decoded.storage != tap.configuration->storage) {
        return fmt::format("its values are {}, needed {}", to_string(decoded.storage),
                           to_string(tap.configuration->storage));
      }
    }
    result.rows += decoded.keys.size();
    return std::nullopt;
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

CacheVerification verify_cache(const fs::path& root,
                               const std::function<void(std::uint64_t, std::uint64_t)>& on_progress) {
  CacheVerification result;
  std::vector<TapSegments> taps;
  for (const TapFolder& folder : list_taps(root)) {
    TapSegments tap{folder, configuration_of(folder), {}};
    std::error_code error;
    tap.files = list_segments(folder.path, error);
    if (error) result.faults.push_back({folder.path, error.message()});
    const bool first_of_fingerprint = taps.empty() || taps.back().folder.fingerprint != folder.fingerprint;
    if (!tap.configuration && first_of_fingerprint) {
      result.faults.push_back({folder.path.parent_path() / "extractor.json",
                               "it is not the configuration that its folder is named after"});
    }
    taps.push_back(std::move(tap));
  }
  const auto total =
      std::accumulate(taps.begin(), taps.end(), std::uint64_t{0},
                      [](std::uint64_t sum, const TapSegments& tap) { return sum + tap.files.size(); });
  std::uint64_t done = 0;
  for (const TapSegments& tap : taps) {
    verify_segments(tap.files, [&](const VerifiedSegment& verified) {
      on_progress(++done, total);
      if (const auto* fault = std::get_if<SegmentFault>(&verified.content)) {
        if (fault->kind != SegmentFault::Kind::kGone) result.faults.push_back({verified.file, fault->reason});
        return;
      }
      const SegmentFile& segment = std::get<SegmentFile>(verified.content);
      ++result.segments;
      result.bytes += segment.bytes.size();
      if (auto reason = find_fault(segment, tap, result)) result.faults.push_back({verified.file, *reason});
    });
  }
  return result;
}

}  // namespace headstart

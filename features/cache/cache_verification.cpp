// features/cache/cache_verification.cpp: reads and checks the whole cache for `headstart cache verify`.
#include <numeric>
#include <system_error>
#include <utility>
#include <variant>

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

/// The kind of the folder's segments. @param found  stands for what no extractor.json says
SegmentKind wanted_kind(const TapSegments& tap, const SegmentKind& found) {
  if (!tap.configuration) return {tap.folder.tap, found.shape, found.storage};
  return {tap.folder.tap,
          tap_shape(tap.configuration->network, tap.folder.tap, tap.configuration->resize.size),
          tap.configuration->storage};
}

/// Counts a segment, or adds its fault.
void check_segment(const VerifiedSegment& verified, const TapSegments& tap, CacheVerification& result) {
  if (const auto* file = std::get_if<SegmentFile>(&verified.content)) {
    ++result.segments;
    result.bytes += file->bytes.size();
  }
  const auto decoded = segment_of(verified.content);
  if (const auto* fault = std::get_if<SegmentFault>(&decoded)) {
    if (fault->kind != SegmentFault::Kind::kGone) result.faults.push_back({verified.file, fault->reason});
    return;
  }
  const Segment& segment = std::get<Segment>(decoded);
  const SegmentKind kind{segment.tap, segment.shape, segment.storage};
  if (auto reason = misfit(kind, wanted_kind(tap, kind)))
    result.faults.push_back({verified.file, std::move(*reason)});
  else
    result.rows += segment.keys.size();
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
      check_segment(verified, tap, result);
    });
  }
  return result;
}

}  // namespace headstart

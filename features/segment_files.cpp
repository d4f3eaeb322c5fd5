// features/segment_files.cpp
#include "features/segment_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <system_error>
#include <variant>

#include "data/error.hpp"
#include "data/file_bytes.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "segment-";
constexpr std::string_view kSuffix = ".h5";
constexpr std::uint64_t kMaxSegmentBytes = std::uint64_t{1}
                                           << 32;  // 64 MiB are written; merged ones may be larger

/// The digest that a segment's name states.
std::optional<Sha256> digest_of_name(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(kSuffix.size());
  return Sha256::from_hex(name);
}

Error unusable(std::string_view what, const fs::path& file) {
  return Error{Error::Kind::kFailed, "unusable segment",
               fmt::format("{}: {}", printable(file.string()), what), "its images will be extracted again"};
}

}  // namespace

std::vector<fs::path> list_segments(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (digest_of_name(entry->path().filename().string())) files.push_back(entry->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

SegmentFile read_segment_file(const fs::path& file) {
  const std::optional<Sha256> named = digest_of_name(file.filename().string());
  if (!named) throw unusable("its name is not that of a segment", file);
  auto read = read_file(file, kMaxSegmentBytes);
  if (const auto* reject = std::get_if<Reject>(&read)) throw unusable(reject->reason, file);
  auto& bytes = std::get<std::vector<std::byte>>(read);
  if (const Sha256 found = sha256(bytes); found != *named) {
    throw unusable(fmt::format("its bytes have the SHA-256 {}...: it is damaged", found.hex().substr(0, 16)),
                   file);
  }
  return {*named, std::move(bytes)};
}

std::string set_aside(const fs::path& file, std::string_view why) {
  std::error_code error;
  fs::rename(file, file.string() + ".bad", error);
  return fmt::format("{}{}", why,
                     error ? "" : fmt::format(" (set aside as {}.bad)", printable(file.filename().string())));
}

}  // namespace headstart

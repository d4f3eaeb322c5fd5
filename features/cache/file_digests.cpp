// features/cache/file_digests.cpp
#include "features/cache/file_digests.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace headstart {
namespace {

constexpr const char* kDigestsKind = "headstart file digests 1";
constexpr std::int64_t kSettledNs = 2'000'000'000;
constexpr std::int64_t kDayNs = std::int64_t{86'400} * 1'000'000'000;
constexpr std::size_t kMany = 1'000'000;
constexpr std::uint64_t kKeptDays = 180;

using Key = std::pair<std::uint64_t, std::uint64_t>;

/// A member's key is the digest of more bytes than a file's, so that the two kinds of key never mix.
Key key_of(const FileStamp& stamp, const std::optional<MemberSource>& member) {
  const std::array<std::uint64_t, 5> numbers{stamp.device, stamp.inode, stamp.bytes,
                                             static_cast<std::uint64_t>(stamp.modified_ns),
                                             static_cast<std::uint64_t>(stamp.changed_ns)};
  Sha256Stream stream;
  stream.update(std::as_bytes(std::span(numbers)));
  if (member) {
    stream.update(std::as_bytes(std::span(&member->position, 1)));
    stream.update(std::as_bytes(std::span(member->name)));
  }
  const Sha256 digest = stream.finish();
  Key key;
  std::memcpy(&key.first, digest.bytes.data(), sizeof key.first);
  std::memcpy(&key.second, digest.bytes.data() + sizeof key.first, sizeof key.second);
  return key;
}

}  // namespace

FileDigests::FileDigests(std::filesystem::path file, bool trusted)
    : file_(std::move(file)), trusted_(trusted), known_(CheckedFile::read(file_, kDigestsKind)) {}

std::span<const FileDigests::Entry> FileDigests::entries_of(const std::optional<CheckedFile>& known) {
  return known ? known->section<Entry>(0) : std::span<const Entry>();
}

std::optional<Sha256> FileDigests::find(const FileStamp& stamp,
                                        const std::optional<MemberSource>& member) const {
  if (!trusted_) return std::nullopt;
  const Key key = key_of(stamp, member);
  const std::span<const Entry> entries = entries_of(known_);
  const auto at = std::lower_bound(entries.begin(), entries.end(), key, [](const Entry& entry, const Key& k) {
    return Key(entry.key[0], entry.key[1]) < k;
  });
  if (at != entries.end() && Key(at->key[0], at->key[1]) == key) return at->content;
  const std::lock_guard lock(lock_);
  const auto added = added_.find(key);
  return added == added_.end() ? std::nullopt : std::optional(added->second.content);
}

void FileDigests::add(const FileStamp& stamp, const Sha256& content, std::int64_t now_ns,
                      const std::optional<MemberSource>& member) {
  if (now_ns - std::max(stamp.modified_ns, stamp.changed_ns) < kSettledNs) return;
  const Key key = key_of(stamp, member);
  const Entry entry{{key.first, key.second}, static_cast<std::uint64_t>(now_ns / kDayNs), content};
  const std::lock_guard lock(lock_);
  added_.insert_or_assign(key, entry);
}

std::optional<std::string> FileDigests::save() {
  const std::lock_guard lock(lock_);
  if (added_.empty()) return std::nullopt;
  known_ = CheckedFile::read(file_, kDigestsKind);  // others may have saved meanwhile
  std::uint64_t today = 0;
  std::vector<Entry> all;
  all.reserve(entries_of(known_).size() + added_.size());
  for (const auto& [key, entry] : added_) {
    all.push_back(entry);
    today = std::max(today, entry.day);
  }
  const bool many = all.size() + entries_of(known_).size() > kMany;
  for (const Entry& entry : entries_of(known_)) {
    const bool replaced = added_.contains({entry.key[0], entry.key[1]});
    if (!replaced && !(many && entry.day + kKeptDays < today)) all.push_back(entry);
  }
  std::sort(all.begin(), all.end(),
            [](const Entry& a, const Entry& b) { return Key(a.key[0], a.key[1]) < Key(b.key[0], b.key[1]); });
  const std::array sections{std::as_bytes(std::span<const Entry>(all))};
  std::optional<std::string> failure = CheckedFile::write(file_, kDigestsKind, sections);
  if (!failure) {
    known_ = CheckedFile::read(file_, kDigestsKind);
    added_.clear();
  }
  return failure;
}

}  // namespace headstart

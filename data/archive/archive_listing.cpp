// data/archive/archive_listing.cpp: see archive_listing.hpp.
#include "data/archive/archive_listing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>

#include "data/error.hpp"

namespace headstart {
namespace {

/// The part of `name` up to its first folder or file that is never part of a dataset; "" if there is none. A
/// folder on disk is not searched below such a name either.
std::string_view clutter_in(std::string_view name) {
  for (std::size_t begin = 0; begin < name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    if (is_clutter(name.substr(begin, end - begin))) return name.substr(0, end);
    begin = end + 1;
  }
  return {};
}

/// Keeps the last of several members with the same name, as unpacking would.
std::size_t keep_last_of_equal_names(std::vector<ListedMember>& files) {
  std::vector<std::size_t> order(files.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const int names = files[a].name.compare(files[b].name);
    return names != 0 ? names < 0 : a < b;
  });
  std::vector<bool> is_replaced(files.size());
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (files[order[i - 1]].name == files[order[i]].name) is_replaced[order[i - 1]] = true;
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (is_replaced[i]) continue;
    if (kept != i) files[kept] = std::move(files[i]);
    ++kept;
  }
  const std::size_t replaced = files.size() - kept;
  files.resize(kept);
  return replaced;
}

/// A member that can't be read counts as an image: reading it again gives the reason.
FileKind kind_by_start(ArchiveReader& reader) {
  const auto start = reader.read_start(kImageStartBytes);
  return !start || is_image_start(*start) ? FileKind::kImage : FileKind::kSideFile;
}

/// Collects one line for each stretch of damage.
class DamageLog {
 public:
  explicit DamageLog(std::vector<std::string>& lines) : lines_(lines) {}
  void member(const std::string& name) {
    last_ = name;
    in_damage_ = false;
  }
  void damage(const std::string& reason) {
    if (std::exchange(in_damage_, true)) return;
    lines_.push_back(fmt::format("members may be missing {}: {}",
                                 last_.empty() ? "from the first on" : "behind " + printable(last_), reason));
  }

 private:
  std::vector<std::string>& lines_;
  std::string last_;
  bool in_damage_ = false;
};

}  // namespace

ImageSource ArchiveListing::source(const ListedMember& member) const {
  return {file, MemberSource{member.position, member.name, stamp}, {}};
}

ArchiveListing list_archive(const std::filesystem::path& file) {
  ArchiveListing listing;
  listing.file = file;
  auto opened = ArchiveReader::open(file);
  if (const auto* reject = std::get_if<Reject>(&opened)) {
    listing.damages.push_back("the archive " + reject->reason);
    return listing;
  }
  auto& reader = std::get<ArchiveReader>(opened);
  listing.stamp = reader.stamp();
  DamageLog log(listing.damages);
  std::size_t others = 0;
  std::size_t unsafe = 0;
  std::size_t reopened = 0;
  while (true) {
    auto next = reader.next();
    if (const auto* damage = std::get_if<ArchiveDamage>(&next)) {
      log.damage(damage->reason);
      if (damage->is_end) break;
      continue;
    }
    auto* member = std::get_if<ArchiveMember>(&next);
    if (member == nullptr) break;
    log.member(member->name);
    if (member->kind == ArchiveMember::Kind::kUnsafe) ++unsafe;
    if (const std::string_view clutter = clutter_in(member->name); !clutter.empty()) {
      listing.clutter.emplace(clutter);
      continue;
    }
    if (member->kind == ArchiveMember::Kind::kFolder && member->name.empty())
      continue;  // the archive's own "./"
    if (member->kind == ArchiveMember::Kind::kOther) ++others;
    if (member->kind == ArchiveMember::Kind::kFolder) listing.folders.push_back(std::move(member->name));
    if (member->kind != ArchiveMember::Kind::kFile) continue;
    read_label(member->name, reader, listing.labels);
    const std::optional<FileKind> by_name = kind_by_name(member->name);
    const FileKind kind = by_name ? *by_name : kind_by_start(reader);
    if (!reader.is_usable() && reopened++ < kMaxReopened) {
      if (auto other = ArchiveReader::open_behind(file, member->position)) reader = std::move(*other);
    }
    listing.files.push_back({std::move(member->name), member->position, kind, member->is_utf8});
  }
  const std::string where = printable(file.string());
  const auto note = [&](std::size_t count, std::string_view what) {
    if (count > 0)
      listing.notes.push_back(fmt::format("{}: {} skipped: {}", where,
                                          count == 1 ? "1 member is" : fmt::format("{} members are", count),
                                          what));
  };
  note(keep_last_of_equal_names(listing.files), "another one of that name follows");
  note(others, "links or devices");
  note(unsafe, "names that are empty, absolute, or lead out of the archive");
  return listing;
}

}  // namespace headstart

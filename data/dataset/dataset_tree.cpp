// data/dataset/dataset_tree.cpp: a loop is a folder that is its own ancestor by (device, inode). So a folder
// that is reached twice side by side is still read twice, as in other tools.
#include "data/dataset/dataset_tree.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "data/dataset/own_output.hpp"
#include "data/error.hpp"
#include "data/file_kind.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

/// Sorts '/' before all other bytes, so that entries below a folder come before a longer name with the same
/// start.
bool path_before(std::string_view a, std::string_view b) {
  const auto [at_a, at_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (at_a == a.end() || at_b == b.end()) return at_a == a.end() && at_b != b.end();
  const auto rank = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c) + 1; };
  return rank(*at_a) < rank(*at_b);
}

bool entry_before(const TreeEntry& a, const TreeEntry& b) {
  if (a.path != b.path) return path_before(a.path, b.path);
  return std::pair(a.kind, a.source) < std::pair(b.kind, b.source);
}

std::string_view parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view name_in(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool is_below(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

/// Whether `fits` is true for all entries below `folder`, except clutter. Stops at the first false.
template <typename Fits>
bool all_below(std::span<const TreeEntry> entries, std::string_view folder, const Fits& fits) {
  auto entry = std::lower_bound(entries.begin(), entries.end(), folder,
                                [](const TreeEntry& e, auto name) { return path_before(e.path, name); });
  for (; entry != entries.end() && (entry->path == folder || is_below(entry->path, folder)); ++entry) {
    if (entry->path != folder && entry->kind != TreeEntry::Kind::kClutter && !fits(entry->path)) return false;
  }
  return true;
}

bool is_run_output(std::span<const TreeEntry> entries, std::string_view folder) {
  std::size_t marks = 0;
  const bool is_ours = all_below(entries, folder, [&](std::string_view path) {
    const std::string_view name = name_in(path);
    if (std::find(kOutputMarks.begin(), kOutputMarks.end(), name) != kOutputMarks.end()) ++marks;
    return parent_of(path) == folder && is_output_file(name);
  });
  return is_ours && marks == kOutputMarks.size();
}

using Folders = std::unordered_set<std::string_view>;

/// Whether a folder holds only folders of a cache and the files beside them.
bool is_cache(std::span<const TreeEntry> entries, std::string_view folder, const Folders& of_caches) {
  return all_below(entries, folder, [&](std::string_view path) {
    const std::size_t end = path.find('/', folder.size() + 1);
    return of_caches.contains(path.substr(0, end)) ||
           (end == std::string_view::npos && name_in(path) == kCacheStat);
  });
}

/// Folders that headstart wrote, in the order of entries.
std::vector<std::string_view> own_folders(std::span<const TreeEntry> entries) {
  std::vector<std::string_view> own;
  Folders of_caches;
  Folders caches;
  for (const TreeEntry& entry : entries) {
    const std::string_view parent = parent_of(entry.path);
    if (parent.empty()) continue;  // the dataset itself is always read
    const std::string_view name = name_in(entry.path);
    if (name == kCacheMark && is_fingerprint(name_in(parent))) {
      of_caches.insert(parent);
      if (const std::string_view cache = parent_of(parent); !cache.empty()) caches.insert(cache);
    }
    if (name == kOutputMarks.front() && is_run_output(entries, parent)) own.push_back(parent);
  }
  own.insert(own.end(), of_caches.begin(), of_caches.end());
  std::copy_if(caches.begin(), caches.end(), std::back_inserter(own),
               [&](std::string_view cache) { return is_cache(entries, cache, of_caches); });
  std::sort(own.begin(), own.end(), path_before);
  return own;
}

/// Replaces each topmost folder that headstart wrote by one entry.
std::vector<TreeEntry> with_own_folders(std::vector<TreeEntry> entries) {
  const std::vector<std::string_view> own = own_folders(entries);
  if (own.empty()) return entries;
  std::vector<TreeEntry> kept;
  auto next = own.begin();
  for (const TreeEntry& entry : entries) {
    const auto holds = [&](std::string_view folder) {
      return entry.path == folder || is_below(entry.path, folder);
    };
    while (next != own.end() && !holds(*next) && path_before(*next, entry.path)) ++next;
    if (next == own.end() || !holds(*next)) {
      kept.push_back(entry);
    } else if (kept.empty() || kept.back().path != *next) {
      kept.push_back({std::string(*next), TreeEntry::Kind::kOwn, 0});
    }
  }
  return kept;
}

using FolderIdentity = std::pair<dev_t, ino_t>;

[[noreturn]] void cannot_list(const fs::path& folder, const std::error_code& reason) {
  throw Error(Error::Kind::kFailed, "cannot list the folder", folder.string() + ": " + reason.message(),
              "make it readable, or move it out of the dataset");
}

class FolderWalk {
 public:
  void visit(const fs::path& folder, const std::string& prefix) {
    struct stat status = {};
    if (::stat(folder.c_str(), &status) != 0) cannot_list(folder, {errno, std::generic_category()});
    const FolderIdentity identity{status.st_dev, status.st_ino};
    if (std::find(ancestors_.begin(), ancestors_.end(), identity) != ancestors_.end()) {
      add(prefix, TreeEntry::Kind::kLoop);
      return;
    }
    if (!prefix.empty()) add(prefix, TreeEntry::Kind::kFolder);
    ancestors_.push_back(identity);
    bool is_of_cache = false;
    std::vector<std::string> folders;
    std::error_code error;
    fs::directory_iterator position(folder, error);
    if (error) cannot_list(folder, error);
    for (; position != fs::directory_iterator(); position.increment(error)) {
      std::string name = position->path().filename().string();
      if (is_clutter(name)) {
        add(prefix + name, TreeEntry::Kind::kClutter);
        continue;
      }
      std::error_code dangling;  // a link that leads nowhere, or to itself
      const fs::file_type type = position->status(dangling).type();
      const bool is_missing = type == fs::file_type::not_found || type == fs::file_type::none;
      if (type == fs::file_type::directory) {
        folders.push_back(std::move(name));
      } else if (is_missing && !kind_by_name(name) && position->is_symlink(dangling)) {
        add(prefix + name, TreeEntry::Kind::kBroken);
      } else if (is_missing || type == fs::file_type::regular) {
        is_of_cache = is_of_cache || name == kCacheMark;
        const bool is_image = kind_of_file(position->path()) == FileKind::kImage;
        add(prefix + name, is_image ? TreeEntry::Kind::kImage : TreeEntry::Kind::kSideFile);
      } else {
        add(prefix + name, TreeEntry::Kind::kOther);
      }
    }
    if (error) cannot_list(folder, error);
    // A cache may be large, and another process may be working in it.
    if (is_of_cache && is_fingerprint(folder.filename().string())) folders.clear();
    for (const std::string& name : folders) visit(folder / name, prefix + name + '/');
    ancestors_.pop_back();
  }

  std::vector<TreeEntry> entries;

 private:
  void add(std::string path, TreeEntry::Kind kind) {
    if (path.ends_with('/')) path.pop_back();
    entries.push_back({std::move(path), kind, 0});
  }

  std::vector<FolderIdentity> ancestors_;
};

}  // namespace

DatasetTree::DatasetTree(std::vector<TreeEntry> entries) {
  std::sort(entries.begin(), entries.end(), entry_before);
  entries_ = with_own_folders(std::move(entries));
}

std::string_view TreeFolder::path() const {
  return prefix_ == 0 ? std::string_view() : std::string_view(entries_.front().path).substr(0, prefix_ - 1);
}

std::string_view TreeFolder::name() const { return name_in(path()); }

std::string_view TreeFolder::rest_of(const TreeEntry& entry) const {
  return entry.path.size() < prefix_ ? std::string_view() : std::string_view(entry.path).substr(prefix_);
}

std::size_t TreeFolder::count(TreeEntry::Kind kind) const {
  return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(),
                                                [&](const TreeEntry& entry) { return entry.kind == kind; }));
}

std::size_t TreeFolder::count_here(TreeEntry::Kind kind) const {
  return static_cast<std::size_t>(
      std::count_if(entries_.begin(), entries_.end(), [&](const TreeEntry& entry) {
        return entry.kind == kind && rest_of(entry).find('/') == std::string_view::npos;
      }));
}

std::vector<TreeFolder> TreeFolder::folders() const {
  std::vector<TreeFolder> result;
  for (std::size_t i = 0; i < entries_.size();) {
    const std::string_view rest = rest_of(entries_[i]);
    const std::size_t slash = rest.find('/');
    const bool is_folder = slash != std::string_view::npos || entries_[i].kind == TreeEntry::Kind::kFolder;
    if (rest.empty() || !is_folder) {
      ++i;
      continue;
    }
    const std::string_view name = rest.substr(0, slash);
    std::size_t end = i + 1;
    for (; end < entries_.size(); ++end) {
      const std::string_view next = rest_of(entries_[end]);
      if (!next.starts_with(name) || (next.size() > name.size() && next[name.size()] != '/')) break;
    }
    result.push_back({entries_.subspan(i, end - i), prefix_ + name.size() + 1});
    i = end;
  }
  std::sort(result.begin(), result.end(),
            [](const TreeFolder& a, const TreeFolder& b) { return a.name() < b.name(); });
  return result;
}

DatasetTree tree_of_folder(const fs::path& folder) {
  FolderWalk walk;
  walk.visit(folder, "");
  return DatasetTree(std::move(walk.entries));
}

DatasetTree tree_of_archive(const ArchiveListing& listing) {
  std::vector<TreeEntry> entries;
  entries.reserve(listing.files.size() + listing.folders.size() + listing.clutter.size());
  for (std::size_t i = 0; i < listing.files.size(); ++i) {
    const ListedMember& member = listing.files[i];
    const bool is_image = member.kind == FileKind::kImage;
    entries.push_back(
        {member.name, is_image ? TreeEntry::Kind::kImage : TreeEntry::Kind::kSideFile, i, member.is_utf8});
  }
  for (const std::string& name : listing.folders) entries.push_back({name, TreeEntry::Kind::kFolder, 0});
  for (const std::string& name : listing.clutter) entries.push_back({name, TreeEntry::Kind::kClutter, 0});
  return DatasetTree(std::move(entries));
}

}  // namespace headstart

// data/dataset/dataset_tree.hpp: the names in a dataset, on disk or in archives. All decisions by name use
// only this value, so that a folder and an archive are read in the same way.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/archive/archive_listing.hpp"

namespace headstart {

/// A name in a dataset.
struct TreeEntry {
  enum class Kind {
    kImage,     ///< a file to be read, or a file with the reason why it can't be read
    kSideFile,  ///< a file that is no image
    kFolder,    ///< a folder with its own entry: it may be empty
    kClutter,   ///< hidden or made by an operating system: a file, or a folder with all its content
    kOwn,       ///< a folder that headstart wrote, with all its content
    kOther,     ///< neither file nor folder
    kLoop,      ///< a link to a folder that holds it
    kBroken,    ///< a link that leads nowhere, and whose name doesn't say whether it was an image or a folder
  };
  std::string path;  ///< relative to the dataset, '/' between parts
  Kind kind = Kind::kImage;
  std::size_t source = 0;  ///< the number by which the maker of the tree knows an image
  bool is_utf8 = false;    ///< its archive marks the path as UTF-8

  bool operator==(const TreeEntry&) const = default;
};

/// Whether reading the entry gives an image or the reason why not.
[[nodiscard]] constexpr bool is_read_as_image(TreeEntry::Kind kind) {
  return kind == TreeEntry::Kind::kImage || kind == TreeEntry::Kind::kBroken;
}

/// All names of a dataset, sorted so that all entries below one folder are neighbours.
class DatasetTree {
 public:
  /// `entries` may have any order. Entries below a folder that headstart wrote become one entry.
  explicit DatasetTree(std::vector<TreeEntry> entries);

  [[nodiscard]] std::span<const TreeEntry> entries() const& noexcept { return entries_; }
  std::span<const TreeEntry> entries() const&& = delete;  // the entries would outlive the tree

 private:
  std::vector<TreeEntry> entries_;
};

/// A folder of a tree; the tree has to outlive it.
class TreeFolder {
 public:
  /// The top folder.
  explicit TreeFolder(const DatasetTree& tree) : entries_(tree.entries()) {}

  /// "" for the top.
  [[nodiscard]] std::string_view path() const;
  /// The last part of path().
  [[nodiscard]] std::string_view name() const;
  /// All entries below, at any depth; may include the folder's own entry.
  [[nodiscard]] std::span<const TreeEntry> entries() const noexcept { return entries_; }
  /// How many entries have that kind, at any depth.
  [[nodiscard]] std::size_t count(TreeEntry::Kind kind) const;
  /// How many entries directly in the folder have that kind.
  [[nodiscard]] std::size_t count_here(TreeEntry::Kind kind) const;
  /// The folders directly in this one, sorted by name, bytewise.
  [[nodiscard]] std::vector<TreeFolder> folders() const;

 private:
  TreeFolder(std::span<const TreeEntry> entries, std::size_t prefix) : entries_(entries), prefix_(prefix) {}
  /// The rest of an entry's path; "" for the folder's own entry.
  [[nodiscard]] std::string_view rest_of(const TreeEntry& entry) const;

  std::span<const TreeEntry> entries_;
  std::size_t prefix_ = 0;  // bytes of "folder/", the common start of all their paths
};

/// The entries below `folder` on disk. Links are followed, except links to a folder that contains them. Opens
/// a file only if kind_by_name() can't decide.
/// @throws Error kFailed if a folder can't be listed: leaving images out silently would be worse
[[nodiscard]] DatasetTree tree_of_folder(const std::filesystem::path& folder);

/// The members of an archive; an image's source is its index in listing.files.
[[nodiscard]] DatasetTree tree_of_archive(const ArchiveListing& listing);

}  // namespace headstart

// data/dataset_tree.hpp: the names in a dataset, wherever it lies: on disk or in archives. A value: whatever
// is decided by names is decided from it alone, so that folders and archives can't be read differently.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/archive_listing.hpp"

namespace headstart {

/// A name in a dataset.
struct TreeEntry {
  enum class Kind {
    kImage,     ///< a file to be read, or the reason why it can't be
    kSideFile,  ///< a file that is no image
    kFolder,    ///< a folder that is named by itself: it may be empty
    kClutter,   ///< hidden, or an operating system's: a file, or a folder with all that it holds
    kOwn,       ///< a folder that headstart wrote, with all that it holds
    kOther,     ///< neither file nor folder
    kLoop,      ///< a link to a folder that holds it
    kBroken,    ///< a link that leads nowhere, whose name doesn't say what it was: an image, or a folder
  };
  std::string path;  ///< relative to the dataset, '/' between parts
  Kind kind = Kind::kImage;
  std::size_t source = 0;  ///< what the maker of the tree knows an image by
  bool is_utf8 = false;    ///< its archive marks the path as UTF-8

  bool operator==(const TreeEntry&) const = default;
};

/// Whether reading it gives an image or the reason why not.
[[nodiscard]] constexpr bool is_read_as_image(TreeEntry::Kind kind) {
  return kind == TreeEntry::Kind::kImage || kind == TreeEntry::Kind::kBroken;
}

/// All names of a dataset, sorted so that what lies below a folder lies together.
class DatasetTree {
 public:
  /// In any order. Entries below a folder that headstart wrote become one.
  explicit DatasetTree(std::vector<TreeEntry> entries);

  [[nodiscard]] std::span<const TreeEntry> entries() const& noexcept { return entries_; }
  std::span<const TreeEntry> entries() const&& = delete;  // they would outlive the tree

 private:
  std::vector<TreeEntry> entries_;
};

/// A folder of a tree, which has to outlive it.
class TreeFolder {
 public:
  /// The top.
  explicit TreeFolder(const DatasetTree& tree) : entries_(tree.entries()) {}

  /// "" for the top.
  [[nodiscard]] std::string_view path() const;
  /// The last part of path().
  [[nodiscard]] std::string_view name() const;
  /// All that is below, at any depth; the folder's own entry may be among them.
  [[nodiscard]] std::span<const TreeEntry> entries() const noexcept { return entries_; }
  /// Of that kind, at any depth.
  [[nodiscard]] std::size_t count(TreeEntry::Kind kind) const;
  /// Of that kind, directly in it.
  [[nodiscard]] std::size_t count_here(TreeEntry::Kind kind) const;
  /// Sorted by name, bytewise.
  [[nodiscard]] std::vector<TreeFolder> folders() const;

 private:
  TreeFolder(std::span<const TreeEntry> entries, std::size_t prefix) : entries_(entries), prefix_(prefix) {}
  /// The rest of an entry's path; "" for the folder's own entry.
  [[nodiscard]] std::string_view rest_of(const TreeEntry& entry) const;

  std::span<const TreeEntry> entries_;
  std::size_t prefix_ = 0;  // bytes of "folder/", with which all their paths begin
};

/// What lies below `folder` on disk. Links are followed, but for those to a folder that holds them. Files are
/// opened only where kind_by_name() says nothing.
/// @throws Error kFailed if a folder can't be listed: images silently left out would be worse
[[nodiscard]] DatasetTree tree_of_folder(const std::filesystem::path& folder);

/// The members of an archive; an image's source is its index in listing.files.
[[nodiscard]] DatasetTree tree_of_archive(const ArchiveListing& listing);

}  // namespace headstart

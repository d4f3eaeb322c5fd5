// data/archive_tree.cpp: a sorted list of names is the tree: what lies below a folder lies together.
#include "data/archive_tree.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace headstart {
namespace {

class ArchiveTree {
 public:
  explicit ArchiveTree(std::shared_ptr<const ArchiveListing> listing) : listing_(std::move(listing)) {
    for (const ListedMember& member : listing_->files) entries_.push_back({member.name, &member});
    for (const std::string& folder : listing_->folders) entries_.push_back({folder, nullptr});
    std::sort(entries_.begin(), entries_.end(),
              [](const Entry& a, const Entry& b) { return a.name < b.name; });
    const FolderEntries outside = list("");
    if (outside.files.empty() && outside.folders.size() == 1) {
      top_ = outside.folders.front() + '/';
      if (list("").folders.empty()) top_.clear();
    }
  }

  [[nodiscard]] const std::string& top() const noexcept { return top_; }

  [[nodiscard]] FolderEntries list(const std::string& folder) const {
    FolderEntries result;
    visit(folder, [&](std::string_view name, const ListedMember* member) {
      const std::string_view part = name.substr(0, name.find('/'));
      const bool is_file = member != nullptr && part.size() == name.size();
      (is_file ? result.files : result.folders).emplace_back(part);
    });
    // Sorted by whole names, "a-b" lies between "a" and "a/b".
    std::sort(result.folders.begin(), result.folders.end());
    result.folders.erase(std::unique(result.folders.begin(), result.folders.end()), result.folders.end());
    return result;
  }

  [[nodiscard]] FolderTree tree(const std::string& folder) const {
    FolderTree result;
    visit(folder, [&](std::string_view name, const ListedMember* member) {
      if (member != nullptr) result.files.emplace_back(name);
    });
    return result;
  }

  [[nodiscard]] ImageSource source(const std::string& file) const {
    const std::string name = top_ + file;
    auto place = first_from(name);
    while (place->member == nullptr) ++place;  // a folder of that name
    return listing_->source(*place->member);
  }

 private:
  struct Entry {
    std::string_view name;
    const ListedMember* member;  // nullptr: a folder
  };

  [[nodiscard]] std::vector<Entry>::const_iterator first_from(std::string_view name) const {
    return std::lower_bound(entries_.begin(), entries_.end(), name,
                            [](const Entry& entry, std::string_view wanted) { return entry.name < wanted; });
  }

  /// Calls `each` with what lies below `folder`, at any depth, by its name relative to it.
  template <class Each>
  void visit(const std::string& folder, const Each& each) const {
    const std::string prefix = top_ + (folder.empty() ? "" : folder + '/');
    for (auto entry = first_from(prefix); entry != entries_.end() && entry->name.starts_with(prefix); ++entry)
      each(entry->name.substr(prefix.size()), entry->member);
  }

  std::shared_ptr<const ArchiveListing> listing_;
  std::vector<Entry> entries_;  // sorted by name; views into listing_
  std::string top_;             // "" or "folder/"
};

}  // namespace

FolderView view_of_archive(std::shared_ptr<const ArchiveListing> listing, const std::string& name) {
  const auto tree = std::make_shared<const ArchiveTree>(std::move(listing));
  return {name, name + '/' + tree->top(), [tree](const std::string& folder) { return tree->list(folder); },
          [tree](const std::string& folder) { return tree->tree(folder); },
          [tree](const std::string& file) { return tree->source(file); }};
}

}  // namespace headstart

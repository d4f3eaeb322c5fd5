// data/image_folder.cpp: a loop is a folder that is its own ancestor by (device, inode), so the same folder
// reached twice side by side is still read twice, as every other tool does.
#include "data/image_folder.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "data/error.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

using FolderIdentity = std::pair<dev_t, ino_t>;

[[noreturn]] void cannot_list(const fs::path& folder, const std::error_code& reason) {
  throw Error(Error::Kind::kFailed, "cannot list the folder", folder.string() + ": " + reason.message(),
              "make it readable, or move it out of the dataset");
}

FolderIdentity identity_of(const fs::path& folder) {
  struct stat status = {};
  if (::stat(folder.c_str(), &status) != 0) cannot_list(folder, {errno, std::generic_category()});
  return {status.st_dev, status.st_ino};
}

class Walk {
 public:
  explicit Walk(FolderTree& tree) : tree_(tree) {}

  void visit(const fs::path& folder, const std::string& prefix) {
    const FolderIdentity identity = identity_of(folder);
    if (std::find(ancestors_.begin(), ancestors_.end(), identity) != ancestors_.end()) {
      ++tree_.loops;
      return;
    }
    ancestors_.push_back(identity);
    const FolderEntries entries = list_folder(folder);
    for (const std::string& name : entries.files) tree_.files.push_back(prefix + name);
    tree_.others += entries.others.size();
    for (const std::string& name : entries.folders) visit(folder / name, prefix + name + '/');
    ancestors_.pop_back();
  }

 private:
  FolderTree& tree_;
  std::vector<FolderIdentity> ancestors_;
};

}  // namespace

FolderEntries list_folder(const fs::path& folder) {
  FolderEntries entries;
  std::error_code error;
  fs::directory_iterator position(folder, error);
  if (error) cannot_list(folder, error);
  for (; position != fs::directory_iterator(); position.increment(error)) {
    std::string name = position->path().filename().string();
    if (name.starts_with('.')) continue;
    std::error_code dangling;  // a link that leads nowhere, or to itself
    const fs::file_type type = position->status(dangling).type();
    if (type == fs::file_type::directory) {
      entries.folders.push_back(std::move(name));
    } else if (type == fs::file_type::regular || type == fs::file_type::not_found ||
               type == fs::file_type::none) {
      entries.files.push_back(std::move(name));
    } else {
      entries.others.push_back(std::move(name));
    }
  }
  if (error) cannot_list(folder, error);
  std::sort(entries.folders.begin(), entries.folders.end());
  std::sort(entries.files.begin(), entries.files.end());
  std::sort(entries.others.begin(), entries.others.end());
  return entries;
}

FolderTree list_tree(const fs::path& folder) {
  FolderTree tree;
  Walk(tree).visit(folder, "");
  std::sort(tree.files.begin(), tree.files.end());
  return tree;
}

}  // namespace headstart

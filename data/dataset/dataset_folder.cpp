// data/dataset/dataset_folder.cpp: see dataset_folder.hpp.
#include "data/dataset/dataset_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "data/error.hpp"

namespace headstart {

namespace fs = std::filesystem;

DatasetFolder::DatasetFolder(fs::path file, OutsidePaths outside)
    : file_(std::move(file)), outside_(outside) {
  std::error_code error;  // a folder that can't be found has no name
  const fs::path here = file_.has_parent_path() ? file_.parent_path() : ".";
  for (const fs::path& name : {fs::absolute(here, error).lexically_normal(), fs::canonical(here, error)}) {
    if (!name.empty()) names_.push_back(name.has_filename() ? name : name.parent_path());
  }
}

fs::path DatasetFolder::locate(const fs::path& path, std::size_t line) const {
  if (outside_ == OutsidePaths::kRefused && !holds(path)) {
    throw Error(
        Error::Kind::kFailed,
        fmt::format("cannot read the dataset: path '{}' may lead out of the file's folder", path.string()),
        fmt::format("{}, line {}", file_.string(), line),
        "write paths below that folder without '..', or pass --allow-outside if you trust the file");
  }
  return file_.parent_path() / path;
}

/// Decides by the name alone. Note: 'a/../b' is not below the folder, because 'a' may be a link to anywhere.
bool DatasetFolder::holds(const fs::path& path) const {
  if (std::find(path.begin(), path.end(), "..") != path.end()) return false;
  return path.is_relative() || std::any_of(names_.begin(), names_.end(), [&](const fs::path& name) {
           return std::mismatch(name.begin(), name.end(), path.begin(), path.end()).first == name.end();
         });
}

}  // namespace headstart

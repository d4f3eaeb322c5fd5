// data/image_folder.hpp: what lies below a folder of images: hidden entries left out, links followed, loops
// survived.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace headstart {

/// One folder's visible entries, by what they lead to; each list sorted bytewise.
struct FolderEntries {
  std::vector<std::string> folders;
  std::vector<std::string>
      files;  ///< regular files, and links that lead nowhere: reading those gives the reason
  std::vector<std::string> others;  ///< FIFOs, sockets, devices
};

/// @throws Error kFailed if the folder cannot be listed: images silently left out would be worse
[[nodiscard]] FolderEntries list_folder(const std::filesystem::path& folder);

/// Files below a folder at any depth.
struct FolderTree {
  std::vector<std::string> files;  ///< relative to the folder, '/' between parts, sorted bytewise
  std::size_t others = 0;          ///< entries that are neither file nor folder
  std::size_t loops = 0;           ///< links back to a folder that holds them, not followed
};

/// @throws Error kFailed if a folder below it cannot be listed
[[nodiscard]] FolderTree list_tree(const std::filesystem::path& folder);

}  // namespace headstart

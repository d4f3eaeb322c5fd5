// data/archive_tree.hpp: an archive's members as folders.
#pragma once

#include <memory>
#include <string>

#include "data/archive_listing.hpp"
#include "data/class_folders.hpp"

namespace headstart {

/// The folders of `listing`, which the view keeps. One common top folder that holds folders is looked
/// through: what is listed then is what lies in it.
/// @param name  the archive's, which the samples' paths begin with
[[nodiscard]] FolderView view_of_archive(std::shared_ptr<const ArchiveListing> listing,
                                         const std::string& name);

}  // namespace headstart

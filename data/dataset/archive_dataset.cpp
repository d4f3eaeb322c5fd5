// data/dataset/archive_dataset.cpp: see archive_dataset.hpp.
#include "data/dataset/archive_dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "data/archive/archive_listing.hpp"
#include "data/archive/webdataset_label.hpp"
#include "data/dataset/class_folders.hpp"
#include "data/dataset/dataset_tree.hpp"
#include "data/dataset/layout.hpp"
#include "data/dataset/passed_over.hpp"
#include "data/dataset/tree_level.hpp"
#include "data/error.hpp"
#include "data/file_kind.hpp"

namespace headstart {
namespace {

using Listing = std::shared_ptr<const ArchiveListing>;

bool is_sample_image(std::string_view name) { return is_image_suffix(split_name(name).field); }

/// Whether at least one image has a label beside it.
bool is_webdataset(const ArchiveListing& listing) {
  return !listing.labels.empty() &&
         std::any_of(listing.files.begin(), listing.files.end(), [&](const ListedMember& member) {
           const auto [key, field] = split_name(member.name);
           if (!is_image_suffix(field)) return false;
           const auto label = listing.labels.find(std::string(key));
           return label != listing.labels.end() && label->second.class_name().has_value();
         });
}

/// @param side_files  gets the names of members that are neither image nor label
void add_webdataset(const ArchiveListing& listing, const std::string& shard, Split split, NamedSamples& named,
                    std::vector<std::string>& side_files) {
  std::unordered_map<std::string_view, std::size_t> images_of;  // number of images of each key
  for (const ListedMember& member : listing.files) {
    if (is_sample_image(member.name)) ++images_of[split_name(member.name).key];
  }
  for (const ListedMember& member : listing.files) {
    const auto [key, field] = split_name(member.name);
    if (!is_image_suffix(field)) {
      if (field != "cls" && field != "json") side_files.push_back(member.name);
      continue;
    }
    Sample sample{shard + '/' + member.name, listing.source(member), kNoLabel, split, {}};
    const auto found = listing.labels.find(std::string(key));
    std::optional<std::string> name;
    if (found == listing.labels.end()) {
      sample.source.problem = "has no label: there is no .cls or .json of its key";
    } else if (name = found->second.class_name(); !name) {
      sample.source.problem = "has no label: " + found->second.problem;
    }
    if (images_of[key] > 1) sample.group = fmt::format("{}/{}", shard, key);
    if (name) named.classes.insert(*name);
    named.samples.emplace_back(name.value_or(""), std::move(sample));
  }
}

/// A sample whose problem says where members may be missing.
Sample damaged(const std::string& shard, const std::filesystem::path& file, const std::string& problem) {
  return {shard, ImageSource{file, {}, problem}, kNoLabel, Split::kUnassigned, {}};
}

/// The split of each archive, if several archives are named like splits; else nothing.
std::vector<Split> splits_by_archive(const std::vector<NamedArchive>& archives) {
  std::vector<Split> splits;
  for (const NamedArchive& archive : archives) {
    const std::string name = std::filesystem::path(archive.name).filename().string();
    const auto split = well_known_split(std::string_view(name).substr(0, name.find('.')));
    if (!split) return {};
    splits.push_back(*split);
  }
  const bool differ = std::adjacent_find(splits.begin(), splits.end(), std::not_equal_to<>()) != splits.end();
  return differ ? splits : std::vector<Split>{};
}

/// A member of one of the archives.
struct MemberPlace {
  std::size_t archive;
  std::size_t member;
};

/// The wrapper folders ("set/") of one archive. @param keeps_splits  a folder named like a split is no
/// wrapper: each archive may hold one split
std::string wrapper_of(const DatasetTree& tree, bool keeps_splits) {
  std::string path(without_wrappers(TreeFolder(tree)).path());
  if (keeps_splits && well_known_split(std::string_view(path).substr(path.rfind('/') + 1)))
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  return path.empty() ? path : path + '/';
}

/// The members of all archives as one tree. An image's source is its index in `places`.
DatasetTree tree_of_archives(const std::vector<Listing>& listings, const std::vector<Split>& splits,
                             std::vector<MemberPlace>& places) {
  std::vector<TreeEntry> entries;
  for (std::size_t i = 0; i < listings.size(); ++i) {
    const DatasetTree tree = tree_of_archive(*listings[i]);
    const std::string wrapper = listings.size() > 1 ? wrapper_of(tree, splits.empty()) : std::string();
    const std::string split = splits.empty() ? std::string() : std::string(to_string(splits[i])) + '/';
    for (const TreeEntry& entry : tree.entries()) {
      const bool is_below = entry.path.size() > wrapper.size() && entry.path.starts_with(wrapper);
      if (!is_below && entry.kind == TreeEntry::Kind::kFolder) continue;  // the wrapper's, or an empty folder
      const std::string path = is_below ? entry.path.substr(wrapper.size()) : entry.path;
      entries.push_back({split + path, entry.kind, places.size(), entry.is_utf8});
      places.push_back({i, entry.source});
    }
  }
  return DatasetTree(std::move(entries));
}

void add_all_webdataset(const std::vector<NamedArchive>& archives, const std::vector<Listing>& listings,
                        const std::vector<Split>& by_archive, const SplitFolders& splits,
                        NamedSamples& named) {
  if (splits.kind == SplitFolders::Kind::kGiven) {
    throw Error(Error::Kind::kUsage, "--splits names folders, and the dataset has none",
                "its images have labels beside them", "leave the option out");
  }
  named.has_given_splits = !by_archive.empty();
  std::vector<std::string> side_files;
  for (std::size_t i = 0; i < archives.size(); ++i) {
    const Split split = by_archive.empty() ? Split::kUnassigned : by_archive[i];
    add_webdataset(*listings[i], archives[i].name, split, named, side_files);
  }
  named.notes.emplace_back(by_archive.empty() ? "labels: .cls or .json beside each image"
                                              : "labels: .cls or .json beside each image; each archive is "
                                                "the split that its name says");
  if (!side_files.empty())
    named.notes.push_back(
        fmt::format("passed over: {}: neither image nor label", count_by_suffix(side_files)));
}

/// @param dataset  for messages
void add_folders(const std::vector<NamedArchive>& archives, const std::vector<Listing>& listings,
                 const std::vector<Split>& by_archive, const SplitFolders& splits, const std::string& dataset,
                 NamedSamples& named) {
  std::vector<MemberPlace> places;
  const DatasetTree tree = tree_of_archives(listings, by_archive, places);
  std::vector<bool> is_used(archives.size());
  const auto sample = [&](const TreeEntry& image) {
    const auto [archive, index] = places[image.source];
    is_used[archive] = true;
    const ListedMember& member = listings[archive]->files[index];
    return Sample{archives[archive].name + '/' + member.name,
                  listings[archive]->source(member),
                  0,
                  Split::kUnassigned,
                  {}};
  };
  add_layout(layout_of(tree, splits, dataset), sample, named);
  if (!named.has_given_splits) return;
  for (std::size_t i = 0; i < archives.size(); ++i) {
    if (is_used[i] || TreeFolder(tree_of_archive(*listings[i])).count(TreeEntry::Kind::kImage) == 0) continue;
    throw Error(Error::Kind::kUsage, "some archives of the dataset have split folders, and others don't",
                fmt::format("{}: {}", dataset, printable(archives[i].name)), "use one kind");
  }
}

}  // namespace

Manifest read_archives(const std::vector<NamedArchive>& archives, const std::filesystem::path& dataset,
                       const SplitFolders& splits) {
  std::vector<Listing> listings;
  NamedSamples named;
  listings.reserve(archives.size());
  for (const NamedArchive& archive : archives) {
    listings.push_back(std::make_shared<const ArchiveListing>(list_archive(archive.file)));
    const ArchiveListing& listing = *listings.back();
    if (archives.size() == 1 && listing.files.empty() && !listing.damages.empty()) {
      throw Error(Error::Kind::kFailed, "cannot read the archive",
                  fmt::format("{}: {}", archive.file.string(), listing.damages.front()),
                  "pass a .tar, .tar.gz, .tar.zst, .tar.bz2 or .zip that is whole");
    }
    named.notes.insert(named.notes.end(), listing.notes.begin(), listing.notes.end());
  }
  const bool webdataset = std::any_of(listings.begin(), listings.end(),
                                      [](const Listing& listing) { return is_webdataset(*listing); });
  const std::vector<Split> by_archive =
      splits.kind == SplitFolders::Kind::kAuto ? splits_by_archive(archives) : std::vector<Split>{};
  if (webdataset) {
    add_all_webdataset(archives, listings, by_archive, splits, named);
  } else {
    add_folders(archives, listings, by_archive, splits, printable(dataset.string()), named);
  }
  for (std::size_t i = 0; i < archives.size(); ++i) {
    for (const std::string& problem : listings[i]->damages) {
      named.samples.emplace_back("", damaged(archives[i].name, archives[i].file, problem));
    }
  }
  const bool numeric = webdataset && std::all_of(named.classes.begin(), named.classes.end(), is_whole_number);
  Manifest manifest = manifest_of(std::move(named), numeric ? ClassOrder::kNumeric : ClassOrder::kBytewise);
  manifest.root = dataset.parent_path();
  return manifest;
}

std::vector<ImageSource> images_in(const ArchiveListing& listing) {
  std::vector<ImageSource> images;
  for (const ListedMember& member : listing.files) {
    if (member.kind == FileKind::kImage) images.push_back(listing.source(member));
  }
  for (const std::string& problem : listing.damages) images.push_back({listing.file, {}, problem});
  return images;
}

}  // namespace headstart

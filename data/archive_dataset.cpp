// data/archive_dataset.cpp: see archive_dataset.hpp.
#include "data/archive_dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "data/archive_listing.hpp"
#include "data/archive_tree.hpp"
#include "data/class_folders.hpp"
#include "data/error.hpp"
#include "data/webdataset_label.hpp"

namespace headstart {
namespace {

using Listing = std::shared_ptr<const ArchiveListing>;

/// Lower case, without the dot. Formats that headstart doesn't read are among them: such an image is a reject
/// with a reason rather than left out.
bool is_image_extension(std::string_view extension) {
  static constexpr std::array<std::string_view, 21> kExtensions = {
      "jpg", "jpeg", "jpe",  "jfif", "png", "webp", "ppm",  "pgm",  "pbm",  "pnm", "bmp",
      "dib", "tif",  "tiff", "jp2",  "j2k", "gif",  "avif", "heic", "heif", "jxl"};
  std::string lower(extension);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return std::find(kExtensions.begin(), kExtensions.end(), lower) != kExtensions.end();
}

bool is_sample_image(std::string_view name) { return is_image_extension(split_name(name).field); }

/// Whether an image has a label beside it.
bool is_webdataset(const ArchiveListing& listing) {
  return !listing.labels.empty() &&
         std::any_of(listing.files.begin(), listing.files.end(), [&](const ListedMember& member) {
           const auto [key, field] = split_name(member.name);
           if (!is_image_extension(field)) return false;
           const auto label = listing.labels.find(std::string(key));
           return label != listing.labels.end() && label->second.class_name().has_value();
         });
}

void add_webdataset(const ArchiveListing& listing, const std::string& shard, NamedSamples& named) {
  std::unordered_map<std::string_view, std::size_t> images_of;  // a key
  for (const ListedMember& member : listing.files) {
    if (is_sample_image(member.name)) ++images_of[split_name(member.name).key];
  }
  std::size_t others = 0;
  for (const ListedMember& member : listing.files) {
    const auto [key, field] = split_name(member.name);
    if (!is_image_extension(field)) {
      if (field != "cls" && field != "json") ++others;
      continue;
    }
    Sample sample{shard + '/' + member.name, listing.source(member), kNoLabel, Split::kUnassigned, {}};
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
  if (others > 0) {
    named.notes.push_back(fmt::format("{}: {} skipped: neither image nor label", printable(shard),
                                      others == 1 ? "1 member is" : fmt::format("{} members are", others)));
  }
}

/// A sample that says where members may be missing.
Sample damaged(const std::string& shard, const std::filesystem::path& file, const std::string& problem) {
  return {shard, ImageSource{file, {}, problem}, kNoLabel, Split::kUnassigned, {}};
}

}  // namespace

bool has_image_extension(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot != std::string_view::npos && is_image_extension(name.substr(dot + 1));
}

Manifest read_archives(const std::vector<NamedArchive>& archives, const std::filesystem::path& dataset) {
  std::vector<Listing> listings;
  listings.reserve(archives.size());
  for (const NamedArchive& archive : archives) {
    listings.push_back(std::make_shared<const ArchiveListing>(list_archive(archive.file)));
    const ArchiveListing& listing = *listings.back();
    if (archives.size() == 1 && listing.files.empty() && !listing.damages.empty()) {
      throw Error(Error::Kind::kFailed, "cannot read the archive",
                  fmt::format("{}: {}", archive.file.string(), listing.damages.front()),
                  "pass a .tar, .tar.gz, .tar.zst, .tar.bz2 or .zip that is whole");
    }
  }
  const bool webdataset = std::any_of(listings.begin(), listings.end(),
                                      [](const Listing& listing) { return is_webdataset(*listing); });

  NamedSamples named;
  std::optional<bool> has_given_splits;
  for (std::size_t i = 0; i < archives.size(); ++i) {
    const ArchiveListing& listing = *listings[i];
    named.notes.insert(named.notes.end(), listing.notes.begin(), listing.notes.end());
    if (webdataset) {
      add_webdataset(listing, archives[i].name, named);
    } else if (!listing.files.empty()) {
      add_class_folders(view_of_archive(listings[i], archives[i].name), named);
      if (has_given_splits.value_or(named.has_given_splits) != named.has_given_splits) {
        throw Error(Error::Kind::kUsage,
                    "some archives of the dataset have train/ and validation/, and others don't",
                    fmt::format("{}: {}", dataset.string(), printable(archives[i].name)), "use one kind");
      }
      has_given_splits = named.has_given_splits;
    }
    for (const std::string& problem : listing.damages)
      named.samples.emplace_back("", damaged(archives[i].name, archives[i].file, problem));
  }
  const bool numeric = webdataset && std::all_of(named.classes.begin(), named.classes.end(), is_whole_number);
  Manifest manifest = manifest_of(std::move(named), numeric ? ClassOrder::kNumeric : ClassOrder::kBytewise);
  manifest.root = dataset.parent_path();
  return manifest;
}

std::vector<ImageSource> images_in_archive(const std::filesystem::path& file) {
  const ArchiveListing listing = list_archive(file);
  std::vector<ImageSource> images;
  for (const ListedMember& member : listing.files) {
    if (has_image_extension(member.name)) images.push_back(listing.source(member));
  }
  for (const std::string& problem : listing.damages) images.push_back({file, {}, problem});
  return images;
}

}  // namespace headstart

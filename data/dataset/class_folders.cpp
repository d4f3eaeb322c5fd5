// data/dataset/class_folders.cpp: see class_folders.hpp.
#include "data/dataset/class_folders.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <unordered_map>

#include "data/utf8.hpp"

namespace headstart {

void add_layout(Layout layout, const std::function<Sample(const TreeEntry& image)>& sample,
                NamedSamples& named) {
  for (const ClassFolder& folder : layout.classes) {
    named.classes.insert(folder.name);
    for (const TreeEntry& entry : folder.entries) {
      if (entry.is_utf8) named.utf8_classes.insert(folder.name);
      named.has_other_names = named.has_other_names || !(entry.is_utf8 || is_utf8(entry.path));
      if (!is_read_as_image(entry.kind)) continue;
      named.samples.emplace_back(folder.name, sample(entry));
      named.samples.back().second.split = folder.split;
    }
  }
  named.has_given_splits = layout.has_given_splits;
  named.unlabelled = layout.unlabelled;
  std::move(layout.notes.begin(), layout.notes.end(), std::back_inserter(named.notes));
}

Manifest manifest_of(NamedSamples named, ClassOrder order) {
  Manifest manifest;
  manifest.utf8_classes = std::move(named.utf8_classes);
  manifest.has_other_names = named.has_other_names;
  manifest.has_given_splits = named.has_given_splits;
  manifest.unlabelled = named.unlabelled;
  manifest.notes = std::move(named.notes);
  manifest.classes.assign(named.classes.begin(), named.classes.end());
  if (order == ClassOrder::kNumeric) {
    std::sort(manifest.classes.begin(), manifest.classes.end(),
              [](const auto& a, const auto& b) { return std::stoll(a) < std::stoll(b); });
  }
  std::unordered_map<std::string_view, Label> labels{{"", kNoLabel}};
  for (const std::string& name : manifest.classes)
    labels.emplace(name, static_cast<Label>(labels.size()) - 1);
  std::sort(named.samples.begin(), named.samples.end(),
            [](const auto& a, const auto& b) { return a.second.path < b.second.path; });
  manifest.samples.reserve(named.samples.size());
  for (auto& [name, sample] : named.samples) {
    sample.label = labels.at(name);
    manifest.samples.push_back(std::move(sample));
  }
  return manifest;
}

}  // namespace headstart

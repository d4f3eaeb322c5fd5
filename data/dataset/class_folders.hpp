// data/dataset/class_folders.hpp: samples with their class, which is the name of their folder or the label
// beside them.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "data/dataset/layout.hpp"
#include "data/dataset/manifest.hpp"

namespace headstart {

/// Samples with the names of their classes. Labels (numbers) follow once all names are known.
struct NamedSamples {
  std::set<std::string> classes;                        ///< also classes without samples; never ""
  std::vector<std::pair<std::string, Sample>> samples;  ///< the class "" stands for kNoLabel
  std::set<std::string> utf8_classes;                   ///< as in Manifest
  bool has_other_names = false;                         ///< as in Manifest
  bool has_given_splits = false;
  std::size_t unlabelled = 0;  ///< as in Manifest
  std::vector<std::string> notes;
};

/// Adds the images of `layout` to `named`. @param sample  makes the path and source of an image
void add_layout(Layout layout, const std::function<Sample(const TreeEntry& image)>& sample,
                NamedSamples& named);

/// kNumeric: all classes are whole numbers that fit into 64 bits.
enum class ClassOrder { kBytewise, kNumeric };

/// The manifest: classes in `order`, samples sorted by path, bytewise.
[[nodiscard]] Manifest manifest_of(NamedSamples named, ClassOrder order = ClassOrder::kBytewise);

}  // namespace headstart

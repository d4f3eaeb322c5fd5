// data/class_folders.hpp: samples with the class that their folder, or the label beside them, says.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "data/layout.hpp"
#include "data/manifest.hpp"

namespace headstart {

/// Samples with their class by name, until all names are known.
struct NamedSamples {
  std::set<std::string> classes;                        ///< those without samples too; never ""
  std::vector<std::pair<std::string, Sample>> samples;  ///< "": kNoLabel
  std::set<std::string> utf8_classes;                   ///< as in Manifest
  bool has_other_names = false;                         ///< as in Manifest
  bool has_given_splits = false;
  std::size_t unlabelled = 0;  ///< as in Manifest
  std::vector<std::string> notes;
};

/// Adds the images of `layout`. @param sample  path and source of an image
void add_layout(Layout layout, const std::function<Sample(const TreeEntry& image)>& sample,
                NamedSamples& named);

/// kNumeric: all classes are whole numbers that fit 64 bits.
enum class ClassOrder { kBytewise, kNumeric };

/// Classes in their order, samples sorted by path, bytewise.
[[nodiscard]] Manifest manifest_of(NamedSamples named, ClassOrder order = ClassOrder::kBytewise);

}  // namespace headstart

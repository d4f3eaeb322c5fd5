// data/webdataset_label.hpp: the labels inside WebDataset's archives, whose members belong together by key:
// "images/0012.jpg" and "images/0012.cls" are one sample, its key "images/0012".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "data/archive.hpp"

namespace headstart {

/// "images/0012.seg.png" is the field "seg.png" of "images/0012": the name is cut at the first dot of its
/// last part.
struct WebdatasetName {
  std::string_view key;
  std::string_view field;  ///< "" without a dot
};
[[nodiscard]] WebdatasetName split_name(std::string_view name);

/// What a sample's members say about its label.
struct WebdatasetLabel {
  std::optional<std::string> name;    ///< of the .json: "label_name", else "class", where it is text
  std::optional<std::string> plain;   ///< of the .cls
  std::optional<std::string> number;  ///< of the .json: "label", else "cls", else "class"
  std::string problem;                ///< why a .cls or .json says nothing

  /// The class's name; the first of those three. A whole number is written as such: "007" is "7".
  [[nodiscard]] std::optional<std::string> class_name() const;
};

/// Whether a class's name is a whole number.
[[nodiscard]] bool is_whole_number(std::string_view text);

/// If `name`, which is what `reader` is at, is a .cls or .json: what it says, added to its key's label.
void read_label(const std::string& name, ArchiveReader& reader,
                std::unordered_map<std::string, WebdatasetLabel>& labels);

}  // namespace headstart

// data/archive/webdataset_label.hpp: reads the labels inside WebDataset's archives. Members with the same key
// are one sample: "images/0012.jpg" and "images/0012.cls" have the key "images/0012".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "data/archive/archive.hpp"

namespace headstart {

/// "images/0012.seg.png" is the field "seg.png" of "images/0012". The name is cut at the first dot of its
/// last part.
struct WebdatasetName {
  std::string_view key;
  std::string_view field;  ///< "" if there is no dot
};
[[nodiscard]] WebdatasetName split_name(std::string_view name);

/// What the members of a sample say about its label.
struct WebdatasetLabel {
  std::optional<std::string> name;    ///< of the .json: "label_name", else "class", if it is text
  std::optional<std::string> plain;   ///< of the .cls
  std::optional<std::string> number;  ///< of the .json: "label", else "cls", else "class"
  std::string problem;                ///< why a .cls or .json gives no label

  /// The class's name: the first of name, plain and number. A whole number is written without zeros in front:
  /// "007" is "7".
  [[nodiscard]] std::optional<std::string> class_name() const;
};

/// Whether `text`, a class's name, is a whole number.
[[nodiscard]] bool is_whole_number(std::string_view text);

/// If `name`, the current member of `reader`, is a .cls or .json: adds its content to the label of its key.
void read_label(const std::string& name, ArchiveReader& reader,
                std::unordered_map<std::string, WebdatasetLabel>& labels);

}  // namespace headstart

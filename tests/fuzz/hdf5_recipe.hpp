// tests/fuzz/hdf5_recipe.hpp: HDF5 files that are well-formed and not what a reader expects. HDF5's own
// parser is known to crash on damaged bytes, and is not ours to repair; so what a fuzzer varies is not the
// bytes of a file but what is written into it, by HDF5 itself: shapes, types, values, links, storage, all of
// it or none.
#pragma once

#include <fuzzer/FuzzedDataProvider.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "features/hdf5/hdf5.hpp"

namespace headstart::fuzz {

/// A group, dataset or attribute as a reader expects it.
struct Hdf5Object {
  enum class Kind { kGroup, kDataset, kAttribute };
  struct Unwritten {};  ///< float32 zeros that take no room
  struct VariableString {
    std::string text;
  };
  struct VariableStrings {
    std::vector<std::string> texts;  ///< one dimension
  };
  struct FixedStrings {
    std::vector<std::string> texts;  ///< one dimension
  };
  using Values = std::variant<Unwritten, std::vector<Float16>, std::vector<float>, std::vector<std::int32_t>,
                              std::vector<std::int64_t>, std::vector<std::uint8_t>, VariableString,
                              VariableStrings, FixedStrings>;

  Kind kind;
  std::string parent;  ///< the group or dataset that it is in or of; "/" is the root
  std::string name;
  hdf5::Extents extents;  ///< empty: scalar
  Values values;
};

/// The bytes of a file of `objects`, parents before their children, each spoilt in a way that `data` names,
/// or not. With no data left nothing is spoilt. What HDF5 refuses to write is not in the file.
[[nodiscard]] std::vector<std::byte> hdf5_file_of(const std::vector<Hdf5Object>& objects,
                                                  FuzzedDataProvider& data);

}  // namespace headstart::fuzz

// features/hdf5/string_dataset.cpp
#include "features/hdf5/string_dataset.hpp"

#include <fmt/format.h>

#include "features/hdf5/calls.hpp"
#include "features/hdf5/shape.hpp"
#include "features/hdf5/storage.hpp"
#include "features/hdf5/text.hpp"

namespace headstart::hdf5 {
namespace {

constexpr std::uint64_t kMaxTextBytes = std::uint64_t{1} << 30;  // of a dataset of strings

}  // namespace

void write_string_dataset(hid_t parent, const std::string& dataset, const std::vector<std::string>& values) {
  silence();
  std::vector<const char*> texts;
  texts.reserve(values.size());
  for (const std::string& value : values) texts.push_back(value.c_str());
  const Type type = string_type(H5T_VARIABLE, H5T_CSET_UTF8);
  const PropertyList properties = untimed(H5P_DATASET_CREATE);
  const Dataset created{
      checked(H5Dcreate2(parent, dataset.c_str(), type.id(), make_space({values.size()}).id(), H5P_DEFAULT,
                         properties.id(), H5P_DEFAULT),
              parent, dataset)};
  if (texts.empty()) return;
  check(H5Dwrite(created.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, texts.data()), parent, dataset);
}

std::vector<std::string> read_string_dataset(hid_t parent, const std::string& dataset,
                                             std::uint64_t max_strings) {
  const Dataset opened = open_dataset(parent, dataset);
  const Type type{checked(H5Dget_type(opened.id()), parent, dataset)};
  const Space space{checked(H5Dget_space(opened.id()), parent, dataset)};
  if (H5Tget_class(type.id()) != H5T_STRING) throw failure(parent, dataset, "does not hold text");
  if (extents_of(space).size() != 1) throw failure(parent, dataset, "is no list of strings");
  const std::uint64_t count = elements(space);
  if (count > max_strings) {
    throw failure(parent, dataset,
                  fmt::format("holds {} strings, at most {} are expected", count, max_strings));
  }
  check_storage(opened, type, parent, dataset);
  if (count == 0) return {};
  return read_text(parent, dataset, type, count, kMaxTextBytes, [&](hid_t as, void* values) {
    return H5Dread(opened.id(), as, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  });
}

}  // namespace headstart::hdf5

// features/hdf5.cpp
#include "features/hdf5.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <string_view>
#include <type_traits>

#include "data/error.hpp"

namespace headstart::hdf5 {
namespace {

constexpr std::uint64_t kMaxStringBytes = std::uint64_t{64} << 20;
constexpr std::uint64_t kMaxStrings = 1'000'000;
constexpr std::uint64_t kMaxAttributeNumbers = 1'000'000;
constexpr std::uint64_t kMaxChunkBytes = std::uint64_t{1} << 30;
constexpr std::size_t kImageIncrement = std::size_t{1} << 20;

/// The description that HDF5 pushed deepest: the cause, not the symptom.
std::string innermost_error() {
  std::string description = "no reason given";
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned n, const H5E_error2_t* error, void* text) -> herr_t {
        if (n == 0 && error->desc != nullptr) *static_cast<std::string*>(text) = error->desc;
        return 0;
      },
      &description);
  return printable(description);
}

std::string file_name(hid_t object) {
  const ssize_t length = H5Fget_name(object, nullptr, 0);
  if (length <= 0) return "HDF5 file";
  std::string name(static_cast<std::size_t>(length) + 1, '\0');
  H5Fget_name(object, name.data(), name.size());
  name.pop_back();
  return printable(name);
}

[[nodiscard]] Error failure(hid_t object, std::string_view name, std::string_view why) {
  return Error{Error::Kind::kFailed, "cannot use an HDF5 file",
               fmt::format("{}: {}: {}", file_name(object), printable(name), why),
               "check the file, or make it again"};
}

/// HDF5 prints its own error stack unless told not to; every error becomes an exception of ours instead.
void silence() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

hid_t checked(hid_t id, hid_t parent, std::string_view name) {
  if (id < 0) throw failure(parent, name, innermost_error());
  return id;
}

void check(herr_t status, hid_t parent, std::string_view name) {
  if (status < 0) throw failure(parent, name, innermost_error());
}

/// Whether every step of `name` is there. @throws Error where one is a soft or external link
bool exists_by_hard_links(hid_t parent, const std::string& name) {
  std::size_t end = 0;
  while (end != std::string::npos) {
    end = name.find('/', end + 1);
    const std::string prefix = name.substr(0, end);
    if (H5Lexists(parent, prefix.c_str(), H5P_DEFAULT) <= 0) return false;
    H5L_info_t info;
    if (H5Lget_info(parent, prefix.c_str(), &info, H5P_DEFAULT) < 0) return false;
    if (info.type != H5L_TYPE_HARD) throw failure(parent, prefix, "is a link, which is not followed");
  }
  return true;
}

void require(hid_t parent, const std::string& name) {
  if (!exists_by_hard_links(parent, name)) throw failure(parent, name, "is missing");
}

Dataset open_dataset(hid_t parent, const std::string& name) {
  silence();
  require(parent, name);
  return Dataset{checked(H5Dopen2(parent, name.c_str(), H5P_DEFAULT), parent, name)};
}

Attribute open_attribute(hid_t object, const std::string& name) {
  silence();
  return Attribute{checked(H5Aopen(object, name.c_str(), H5P_DEFAULT), object, name)};
}

Extents extents_of(const Space& space) {
  const int rank = H5Sget_simple_extent_ndims(space.id());
  if (rank <= 0) return {};
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
  H5Sget_simple_extent_dims(space.id(), dims.data(), nullptr);
  return {dims.begin(), dims.end()};
}

/// Product of the extents, saturating.
std::uint64_t elements(const Extents& extents) {
  std::uint64_t product = 1;
  for (const std::uint64_t extent : extents) {
    if (extent != 0 && product > std::numeric_limits<std::uint64_t>::max() / extent) {
      return std::numeric_limits<std::uint64_t>::max();
    }
    product *= extent;
  }
  return product;
}

Space make_space(const Extents& extents) {
  if (extents.empty()) return Space{H5Screate(H5S_SCALAR)};
  const std::vector<hsize_t> dims(extents.begin(), extents.end());
  return Space{H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr)};
}

template <typename T>
hid_t native_type() {
  if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
  if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
  if constexpr (std::is_same_v<T, std::int32_t>) return H5T_NATIVE_INT32;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_NATIVE_INT64;
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_NATIVE_UINT8;
}

template <typename T>
hid_t file_type() {
  if constexpr (std::is_same_v<T, float>) return H5T_IEEE_F32LE;
  if constexpr (std::is_same_v<T, double>) return H5T_IEEE_F64LE;
  if constexpr (std::is_same_v<T, std::int32_t>) return H5T_STD_I32LE;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_STD_I64LE;
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_STD_U8LE;
}

void check_numeric(const Type& type, hid_t parent, std::string_view name) {
  const H5T_class_t kind = H5Tget_class(type.id());
  if (kind != H5T_INTEGER && kind != H5T_FLOAT) throw failure(parent, name, "does not hold numbers");
}

/// A chunk is allocated whole when it is read: an absurd one is refused.
void check_chunks(const Dataset& dataset, const Type& type, hid_t parent, std::string_view name) {
  const PropertyList properties{H5Dget_create_plist(dataset.id())};
  if (H5Pget_layout(properties.id()) != H5D_CHUNKED) return;
  std::array<hsize_t, H5S_MAX_RANK> chunk{};
  const int rank = H5Pget_chunk(properties.id(), H5S_MAX_RANK, chunk.data());
  const std::uint64_t size = elements({chunk.begin(), chunk.begin() + std::max(rank, 0)});
  if (size > kMaxChunkBytes / std::max<std::uint64_t>(H5Tget_size(type.id()), 1)) {
    throw failure(parent, name, "is stored in chunks of more than 1 GiB");
  }
}

PropertyList untimed(hid_t kind) {
  PropertyList properties{H5Pcreate(kind)};
  H5Pset_obj_track_times(properties.id(), false);
  return properties;
}

PropertyList strong_close() {
  PropertyList access{H5Pcreate(H5P_FILE_ACCESS)};
  H5Pset_fclose_degree(access.id(), H5F_CLOSE_STRONG);
  return access;
}

Type fixed_string(std::size_t size) {
  Type type{H5Tcopy(H5T_C_S1)};
  H5Tset_size(type.id(), std::max<std::size_t>(size, 1));
  H5Tset_strpad(type.id(), H5T_STR_NULLPAD);
  H5Tset_cset(type.id(), H5T_CSET_UTF8);
  return type;
}

Type variable_string() {
  Type type{H5Tcopy(H5T_C_S1)};
  H5Tset_size(type.id(), H5T_VARIABLE);
  H5Tset_cset(type.id(), H5T_CSET_UTF8);
  return type;
}

void write_attribute(hid_t object, const std::string& name, const Type& type, const Space& space,
                     const void* values) {
  silence();
  const Attribute attribute{checked(
      H5Acreate2(object, name.c_str(), type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT), object, name)};
  check(H5Awrite(attribute.id(), type.id(), values), object, name);
}

std::vector<std::string> read_attribute_strings(hid_t object, const std::string& name) {
  const Attribute attribute = open_attribute(object, name);
  const Type type{checked(H5Aget_type(attribute.id()), object, name)};
  const Space space{checked(H5Aget_space(attribute.id()), object, name)};
  const std::uint64_t count =
      H5Sget_simple_extent_type(space.id()) == H5S_NULL ? 0 : elements(extents_of(space));
  // Keras writes an empty list of names as an empty array of numbers.
  if (count == 0) return {};
  if (H5Tget_class(type.id()) != H5T_STRING) throw failure(object, name, "does not hold text");
  if (count > kMaxStrings) throw failure(object, name, fmt::format("holds {} strings", count));

  std::vector<std::string> strings;
  if (H5Tis_variable_str(type.id()) > 0) {
    std::vector<char*> pointers(count, nullptr);
    Type memory{H5Tcopy(H5T_C_S1)};
    H5Tset_size(memory.id(), H5T_VARIABLE);
    H5Tset_cset(memory.id(), H5Tget_cset(type.id()));
    check(H5Aread(attribute.id(), memory.id(), pointers.data()), object, name);
    for (const char* text : pointers) strings.emplace_back(text == nullptr ? "" : text);
    H5Dvlen_reclaim(memory.id(), space.id(), H5P_DEFAULT, pointers.data());
    return strings;
  }
  const std::size_t width = H5Tget_size(type.id());
  if (width == 0 || count > kMaxStringBytes / width)
    throw failure(object, name, "holds more than 64 MiB of text");
  std::string buffer(width * count, '\0');
  check(H5Aread(attribute.id(), type.id(), buffer.data()), object, name);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string_view cell(buffer.data() + i * width, width);
    strings.emplace_back(cell.substr(0, std::min(cell.find('\0'), cell.size())));
  }
  return strings;
}

}  // namespace

// ---- files
// --------------------------------------------------------------------------------------------------------

File open_file(const std::filesystem::path& file) {
  silence();
  const hid_t id = H5Fopen(file.c_str(), H5F_ACC_RDONLY, strong_close().id());
  if (id < 0) {
    throw Error{Error::Kind::kFailed, "cannot open the HDF5 file",
                fmt::format("{}: {}", printable(file.string()), innermost_error()),
                "pass a file that can be read"};
  }
  return File{id};
}

File open_image(std::span<const std::byte> bytes) {
  silence();
  const PropertyList access = strong_close();
  H5Pset_fapl_core(access.id(), kImageIncrement, false);
  // HDF5 copies the image; its signature is not const-correct.
  H5Pset_file_image(access.id(), const_cast<std::byte*>(bytes.data()), bytes.size());
  const hid_t id = H5Fopen("memory", H5F_ACC_RDONLY, access.id());
  if (id < 0) {
    throw Error{Error::Kind::kFailed, "cannot open the HDF5 file", "memory: " + innermost_error(),
                "check where it comes from"};
  }
  return File{id};
}

File create_in_memory() {
  silence();
  const PropertyList access = strong_close();
  H5Pset_fapl_core(access.id(), kImageIncrement, false);
  const PropertyList creation = untimed(H5P_FILE_CREATE);
  return File{
      checked(H5Fcreate("memory", H5F_ACC_TRUNC, creation.id(), access.id()), H5I_INVALID_HID, "memory")};
}

File create_file(const std::filesystem::path& file) {
  silence();
  const PropertyList creation = untimed(H5P_FILE_CREATE);
  const hid_t id = H5Fcreate(file.c_str(), H5F_ACC_EXCL, creation.id(), strong_close().id());
  if (id < 0) {
    throw Error{Error::Kind::kFailed, "cannot create the HDF5 file",
                fmt::format("{}: {}", printable(file.string()), innermost_error()),
                "free some space or name another place"};
  }
  return File{id};
}

std::vector<std::byte> file_image(const File& file) {
  flush(file);
  const ssize_t size = H5Fget_file_image(file.id(), nullptr, 0);
  if (size < 0) throw failure(file.id(), "/", innermost_error());
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  if (H5Fget_file_image(file.id(), bytes.data(), bytes.size()) != size)
    throw failure(file.id(), "/", innermost_error());
  return bytes;
}

void flush(const File& file) { check(H5Fflush(file.id(), H5F_SCOPE_GLOBAL), file.id(), "/"); }

// ---- groups and datasets
// --------------------------------------------------------------------------------------------

bool exists(hid_t parent, const std::string& name) {
  silence();
  return exists_by_hard_links(parent, name);
}

Group open_group(hid_t parent, const std::string& name) {
  silence();
  require(parent, name);
  return Group{checked(H5Gopen2(parent, name.c_str(), H5P_DEFAULT), parent, name)};
}

Group create_group(hid_t parent, const std::string& name) {
  silence();
  const PropertyList properties = untimed(H5P_GROUP_CREATE);
  return Group{
      checked(H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, properties.id(), H5P_DEFAULT), parent, name)};
}

Extents extents(hid_t parent, const std::string& dataset) {
  const Dataset opened = open_dataset(parent, dataset);
  return extents_of(Space{checked(H5Dget_space(opened.id()), parent, dataset)});
}

template <typename T>
std::vector<T> read(hid_t parent, const std::string& dataset, std::uint64_t max_elements) {
  const Dataset opened = open_dataset(parent, dataset);
  const Type type{checked(H5Dget_type(opened.id()), parent, dataset)};
  check_numeric(type, parent, dataset);
  check_chunks(opened, type, parent, dataset);
  const Space space{checked(H5Dget_space(opened.id()), parent, dataset)};
  const std::uint64_t count = elements(extents_of(space));
  if (count > max_elements) {
    throw failure(parent, dataset,
                  fmt::format("holds {} values, at most {} are allowed", count, max_elements));
  }
  std::vector<T> values(count);
  check(H5Dread(opened.id(), native_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), parent,
        dataset);
  return values;
}

template <typename T>
void write(hid_t parent, const std::string& dataset, const Extents& extents, std::span<const T> values,
           bool compress) {
  silence();
  if (elements(extents) != values.size())
    throw failure(parent, dataset, "is given a shape that does not fit its values");
  const PropertyList properties = untimed(H5P_DATASET_CREATE);
  if (compress && !values.empty() && !extents.empty()) {
    std::vector<hsize_t> chunk(extents.begin(), extents.end());
    const std::uint64_t row = elements({extents.begin() + 1, extents.end()});
    chunk[0] =
        std::clamp<std::uint64_t>((std::uint64_t{1} << 18) / std::max<std::uint64_t>(row, 1), 1, extents[0]);
    H5Pset_chunk(properties.id(), static_cast<int>(chunk.size()), chunk.data());
    H5Pset_shuffle(properties.id());
    H5Pset_deflate(properties.id(), 4);
  }
  const Space space = make_space(extents);
  const Dataset created{checked(H5Dcreate2(parent, dataset.c_str(), file_type<T>(), space.id(), H5P_DEFAULT,
                                           properties.id(), H5P_DEFAULT),
                                parent, dataset)};
  if (values.empty()) return;
  check(H5Dwrite(created.id(), native_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), parent,
        dataset);
}

// ---- attributes
// -----------------------------------------------------------------------------------------------------

bool has_attribute(hid_t object, const std::string& name) {
  silence();
  return H5Aexists(object, name.c_str()) > 0;
}

std::string read_string(hid_t object, const std::string& attribute) {
  const std::vector<std::string> strings = read_attribute_strings(object, attribute);
  if (strings.size() != 1) throw failure(object, attribute, "is not one string");
  return strings.front();
}

std::vector<std::string> read_strings(hid_t object, const std::string& attribute) {
  return read_attribute_strings(object, attribute);
}

template <typename T>
std::vector<T> read_numbers(hid_t object, const std::string& attribute) {
  const Attribute opened = open_attribute(object, attribute);
  const Type type{checked(H5Aget_type(opened.id()), object, attribute)};
  check_numeric(type, object, attribute);
  const Space space{checked(H5Aget_space(opened.id()), object, attribute)};
  const std::uint64_t count = elements(extents_of(space));
  if (count > kMaxAttributeNumbers) throw failure(object, attribute, fmt::format("holds {} values", count));
  std::vector<T> values(count);
  check(H5Aread(opened.id(), native_type<T>(), values.data()), object, attribute);
  return values;
}

void write_string(hid_t object, const std::string& attribute, const std::string& value) {
  std::string padded = value;
  if (padded.empty()) padded.push_back('\0');
  write_attribute(object, attribute, fixed_string(value.size()), make_space({}), padded.data());
}

void write_variable_string(hid_t object, const std::string& attribute, const std::string& value) {
  const char* const pointer = value.c_str();
  write_attribute(object, attribute, variable_string(), make_space({}), static_cast<const void*>(&pointer));
}

void write_strings(hid_t object, const std::string& attribute, const std::vector<std::string>& values) {
  std::size_t width = 1;
  for (const std::string& value : values) width = std::max(width, value.size());
  std::string buffer(std::max<std::size_t>(width * values.size(), 1), '\0');
  for (std::size_t i = 0; i < values.size(); ++i) values[i].copy(buffer.data() + i * width, width);
  write_attribute(object, attribute, fixed_string(width), make_space({values.size()}), buffer.data());
}

template <typename T>
void write_numbers(hid_t object, const std::string& attribute, const Extents& extents,
                   std::span<const T> values) {
  if (elements(extents) != values.size())
    throw failure(object, attribute, "is given a shape that does not fit its values");
  const Type type{H5Tcopy(file_type<T>())};
  write_attribute(object, attribute, type, make_space(extents), values.data());
}

#define HEADSTART_INSTANTIATE(T)                                                               \
  template std::vector<T> read<T>(hid_t, const std::string&, std::uint64_t);                   \
  template void write<T>(hid_t, const std::string&, const Extents&, std::span<const T>, bool); \
  template std::vector<T> read_numbers<T>(hid_t, const std::string&);                          \
  template void write_numbers<T>(hid_t, const std::string&, const Extents&, std::span<const T>)
HEADSTART_INSTANTIATE(float);
HEADSTART_INSTANTIATE(double);
HEADSTART_INSTANTIATE(std::int32_t);
HEADSTART_INSTANTIATE(std::int64_t);
HEADSTART_INSTANTIATE(std::uint8_t);
#undef HEADSTART_INSTANTIATE

}  // namespace headstart::hdf5

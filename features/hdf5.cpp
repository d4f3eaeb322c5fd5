// features/hdf5.cpp: see hdf5.hpp. Every object is opened through hard links only and every result is
// checked. Surprise: HDF5 takes two in-memory files of one name for the same file, so each of ours gets a
// name of its own.
#include "features/hdf5.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include "data/error.hpp"

namespace headstart::hdf5 {
namespace {

constexpr std::uint64_t kMaxStringBytes = std::uint64_t{64} << 20;
constexpr std::uint64_t kMaxStrings = 1'000'000;
constexpr std::uint64_t kMaxTextBytes = std::uint64_t{1} << 30;  // of a dataset of strings
constexpr std::uint64_t kMaxAttributeNumbers = 1'000'000;
constexpr std::uint64_t kMaxChunkBytes = std::uint64_t{256} << 20;
constexpr std::uint64_t kChunkElements = std::uint64_t{1} << 18;  // 1 MiB of float32: HDF5's chunk cache
constexpr unsigned kDeflateLevel = 4;
constexpr std::size_t kImageIncrement = std::size_t{1} << 20;
constexpr std::size_t kLentBytes = std::size_t{64} << 10;  // less is copied
constexpr hsize_t kOutlineBytes = 256 << 10;               // more than what a model has beside its weights

/// The start of every in-memory file's name; messages call such a file "memory".
constexpr std::string_view kMemoryName = "headstart memory ";

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
  return description;
}

/// A name that HDF5 keeps for an id: H5Fget_name's or H5Iget_name's.
template <typename GetName>
std::string name_of(hid_t object, GetName get_name) {
  const ssize_t length = get_name(object, nullptr, 0);
  if (length <= 0) return {};
  std::string name(static_cast<std::size_t>(length) + 1, '\0');
  if (get_name(object, name.data(), name.size()) != length) return {};
  name.pop_back();
  return name;
}

std::string file_name(hid_t object) {
  const std::string name = name_of(object, H5Fget_name);
  return name.empty() || name.starts_with(kMemoryName) ? "memory" : name;
}

/// @param name  of the dataset, group or attribute, below `object`
[[nodiscard]] Error failure(hid_t object, std::string_view name, std::string_view why) {
  std::string path = name_of(object, H5Iget_name);
  if (!path.ends_with('/')) path += '/';
  return Error{Error::Kind::kFailed, "cannot use an HDF5 file",
               fmt::format("{}: {}{}: {}", file_name(object), path, name, why),
               "check that the file is complete and what it should be, or make it again"};
}

[[nodiscard]] Error file_failure(std::string_view what, const std::filesystem::path& file,
                                 std::string_view why, std::string_view advice) {
  return Error{Error::Kind::kFailed, what, fmt::format("{}: {}", file.string(), why), advice};
}

/// HDF5 prints its own error stack unless told not to; every error becomes an exception of ours instead. And
/// it would load code from its folder of plugins when a file names a filter that it does not know.
void silence() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0);
}

/// For calls that fail only when memory is short or an argument is wrong.
hid_t checked(hid_t id) {
  if (id < 0) {
    throw Error{Error::Kind::kFailed, "HDF5 failed", innermost_error(), "check that there is enough memory"};
  }
  return id;
}
void check(herr_t status) { static_cast<void>(checked(status)); }

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
    const htri_t found = H5Lexists(parent, prefix.c_str(), H5P_DEFAULT);
    check(found, parent, prefix);
    if (found == 0) return false;
    H5L_info_t info;
    check(H5Lget_info(parent, prefix.c_str(), &info, H5P_DEFAULT), parent, prefix);
    if (info.type != H5L_TYPE_HARD)
      throw failure(parent, prefix, "is a soft or external link, which is not followed");
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
  check(rank);
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
  check(H5Sget_simple_extent_dims(space.id(), dims.data(), nullptr));
  return {dims.begin(), dims.end()};
}

/// Product of the extents, saturating.
std::uint64_t elements(std::span<const std::uint64_t> extents) {
  std::uint64_t product = 1;
  for (const std::uint64_t extent : extents) {
    if (extent != 0 && product > std::numeric_limits<std::uint64_t>::max() / extent) {
      return std::numeric_limits<std::uint64_t>::max();
    }
    product *= extent;
  }
  return product;
}

/// How many elements a space has; a null space has none.
std::uint64_t elements(const Space& space) {
  return H5Sget_simple_extent_type(space.id()) == H5S_NULL ? 0 : elements(extents_of(space));
}

Space make_space(const Extents& extents) {
  if (extents.empty()) return Space{checked(H5Screate(H5S_SCALAR))};
  const std::vector<hsize_t> dims(extents.begin(), extents.end());
  return Space{checked(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr))};
}

Type copy_of(hid_t type) { return Type{checked(H5Tcopy(type))}; }

/// IEEE 754 binary16, little-endian, which HDF5 1.10 has no name for.
Type float16_type() {
  Type type{checked(H5Tcopy(H5T_IEEE_F32LE))};
  check(H5Tset_fields(type.id(), 15, 10, 5, 0, 10));
  check(H5Tset_size(type.id(), 2));
  check(H5Tset_ebias(type.id(), 15));
  return type;
}

template <typename T>
Type native_type() {
  static_assert(std::endian::native == std::endian::little, "float16 is the same in memory and in a file");
  if constexpr (std::is_same_v<T, Float16>) return float16_type();
  if constexpr (std::is_same_v<T, float>) return copy_of(H5T_NATIVE_FLOAT);
  if constexpr (std::is_same_v<T, double>) return copy_of(H5T_NATIVE_DOUBLE);
  if constexpr (std::is_same_v<T, std::int32_t>) return copy_of(H5T_NATIVE_INT32);
  if constexpr (std::is_same_v<T, std::int64_t>) return copy_of(H5T_NATIVE_INT64);
  if constexpr (std::is_same_v<T, std::uint8_t>) return copy_of(H5T_NATIVE_UINT8);
}

template <typename T>
Type file_type() {
  if constexpr (std::is_same_v<T, Float16>) return float16_type();
  if constexpr (std::is_same_v<T, float>) return copy_of(H5T_IEEE_F32LE);
  if constexpr (std::is_same_v<T, double>) return copy_of(H5T_IEEE_F64LE);
  if constexpr (std::is_same_v<T, std::int32_t>) return copy_of(H5T_STD_I32LE);
  if constexpr (std::is_same_v<T, std::int64_t>) return copy_of(H5T_STD_I64LE);
  if constexpr (std::is_same_v<T, std::uint8_t>) return copy_of(H5T_STD_U8LE);
}

bool is_float16(const Type& type) {
  const htri_t equal = H5Tequal(type.id(), float16_type().id());
  check(equal);
  return equal > 0;
}

/// Numbers only, and integers are never read from floats: HDF5 would clip and truncate without a word.
/// Nothing but float16 is read as float16, as HDF5 1.10 rounds wrongly.
template <typename T>
void check_numeric(const Type& type, hid_t parent, std::string_view name) {
  if constexpr (std::is_same_v<T, Float16>) {
    if (!is_float16(type)) throw failure(parent, name, "does not hold float16");
    return;
  }
  const H5T_class_t kind = H5Tget_class(type.id());
  if (kind == H5T_INTEGER || (kind == H5T_FLOAT && std::is_floating_point_v<T>)) return;
  throw failure(parent, name, std::is_floating_point_v<T> ? "holds no numbers" : "holds no integers");
}

/// The filters that h5py and we write with; those for special data are where HDF5's own defects are.
bool is_plain(H5Z_filter_t filter) {
  return filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SHUFFLE || filter == H5Z_FILTER_FLETCHER32;
}

/// Refuses values that lie in other files (external storage, virtual datasets), a chunk that is absurdly
/// large, as it is allocated whole when it is read, and filters that nobody needs.
void check_storage(const Dataset& dataset, const Type& type, hid_t parent, std::string_view name) {
  const PropertyList properties{checked(H5Dget_create_plist(dataset.id()), parent, name)};
  const H5D_layout_t layout = H5Pget_layout(properties.id());
  if (layout == H5D_VIRTUAL || H5Pget_external_count(properties.id()) > 0) {
    throw failure(parent, name, "has its values in another file, which is not opened");
  }
  if (layout != H5D_CHUNKED) return;
  std::array<hsize_t, H5S_MAX_RANK> chunk{};
  const int rank = H5Pget_chunk(properties.id(), static_cast<int>(chunk.size()), chunk.data());
  check(rank, parent, name);
  const std::uint64_t size = elements(Extents(chunk.begin(), chunk.begin() + rank));
  if (size > kMaxChunkBytes / std::max<std::uint64_t>(H5Tget_size(type.id()), 1)) {
    throw failure(parent, name, "is stored in chunks of more than 256 MiB");
  }
  const int filters = H5Pget_nfilters(properties.id());
  check(filters, parent, name);
  for (unsigned i = 0; std::cmp_less(i, filters); ++i) {
    unsigned flags = 0;
    std::size_t values = 0;
    const H5Z_filter_t filter =
        H5Pget_filter2(properties.id(), i, &flags, &values, nullptr, 0, nullptr, nullptr);
    if (!is_plain(filter)) {
      throw failure(parent, name,
                    fmt::format("is packed by filter {}, where deflate, shuffle and checksums are read",
                                static_cast<int>(filter)));
    }
  }
}

PropertyList untimed(hid_t kind) {
  PropertyList properties{checked(H5Pcreate(kind))};
  check(H5Pset_obj_track_times(properties.id(), false));
  return properties;
}

/// Closing a file closes what is open in it, so that a handle that outlives its file can't keep the file
/// open.
PropertyList file_access() {
  PropertyList access{checked(H5Pcreate(H5P_FILE_ACCESS))};
  check(H5Pset_fclose_degree(access.id(), H5F_CLOSE_STRONG));
  // What we read never changes and what we write is ours alone; locks only fail, on many network file
  // systems.
  check(H5Pset_file_locking(access.id(), false, true));
  return access;
}

std::string next_memory_name() {
  static std::atomic<std::uint64_t> count{0};
  return fmt::format("{}{}", kMemoryName, ++count);
}

// HDF5 would copy an image twice. These callbacks, whose user data is the image itself, hand it the caller's
// bytes: it neither writes to a file opened for reading nor frees what it did not allocate.
void* lend(std::size_t, H5FD_file_image_op_t, void* image) { return image; }
void* keep(void* destination, const void*, std::size_t, H5FD_file_image_op_t, void*) { return destination; }
void* refuse_to_grow(void*, std::size_t, H5FD_file_image_op_t, void*) { return nullptr; }
herr_t leave(void*, H5FD_file_image_op_t, void*) { return 0; }
void* share(void* image) { return image; }
herr_t unshare(void*) { return 0; }

Type string_type(std::size_t size, H5T_cset_t characters) {
  Type type{checked(H5Tcopy(H5T_C_S1))};
  check(H5Tset_size(type.id(), size));
  check(H5Tset_strpad(type.id(), size == H5T_VARIABLE ? H5T_STR_NULLTERM : H5T_STR_NULLPAD));
  check(H5Tset_cset(type.id(), characters));
  return type;
}

/// A fixed-length string without its padding.
std::string unpadded(std::string_view cell, H5T_str_t padding) {
  const std::size_t last = cell.find_last_not_of(padding == H5T_STR_SPACEPAD ? ' ' : '\0');
  cell = cell.substr(0, last == std::string_view::npos ? 0 : last + 1);
  return std::string(cell.substr(0, cell.find('\0')));
}

void write_attribute(hid_t object, const std::string& name, const Type& type, const Space& space,
                     const void* values) {
  silence();
  const Attribute attribute{checked(
      H5Acreate2(object, name.c_str(), type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT), object, name)};
  check(H5Awrite(attribute.id(), type.id(), values), object, name);
}

/// Strings of fixed length, `width` bytes each.
/// @param read  fills a buffer of width * count bytes
template <typename Read>
std::vector<std::string> read_fixed_strings(const Type& type, std::uint64_t count, const Read& read) {
  const std::size_t width = H5Tget_size(type.id());
  std::string buffer(width * count, '\0');
  read(buffer.data());
  std::vector<std::string> strings;
  strings.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    strings.push_back(unpadded(std::string_view(buffer).substr(i * width, width), H5Tget_strpad(type.id())));
  return strings;
}

/// Strings of variable length, which HDF5 allocates.
/// @param read  fills an array of `count` pointers
template <typename Read>
std::vector<std::string> read_variable_strings(const Type& type, const Space& space, std::uint64_t count,
                                               const Read& read) {
  std::vector<char*> texts(count, nullptr);
  read(texts.data());
  std::vector<std::string> strings;
  strings.reserve(count);
  for (const char* text : texts) strings.emplace_back(text == nullptr ? "" : text);
  check(H5Dvlen_reclaim(type.id(), space.id(), H5P_DEFAULT, texts.data()));
  return strings;
}

/// Whether `count` strings of this type, which is of fixed length, have more bytes than allowed.
bool too_long(const Type& type, std::uint64_t count, std::uint64_t most_bytes) {
  const std::size_t width = H5Tget_size(type.id());
  return width == 0 || count > most_bytes / width;
}

std::vector<std::string> read_attribute_strings(hid_t object, const std::string& name) {
  const Attribute attribute = open_attribute(object, name);
  const Type type{checked(H5Aget_type(attribute.id()), object, name)};
  const Space space{checked(H5Aget_space(attribute.id()), object, name)};
  const std::uint64_t count = elements(space);
  if (count == 0)
    return {};  // of whatever type: Keras writes an empty list of names as an empty array of floats
  if (H5Tget_class(type.id()) != H5T_STRING) throw failure(object, name, "does not hold text");
  if (count > kMaxStrings) throw failure(object, name, fmt::format("holds {} strings", count));
  const auto read = [&](void* to) { check(H5Aread(attribute.id(), type.id(), to), object, name); };
  if (H5Tis_variable_str(type.id()) > 0) return read_variable_strings(type, space, count, read);
  if (too_long(type, count, kMaxStringBytes)) throw failure(object, name, "holds more than 64 MiB of text");
  return read_fixed_strings(type, count, read);
}

}  // namespace

File open_file(const std::filesystem::path& file) {
  silence();
  static constexpr std::string_view kWhat = "cannot open an HDF5 file";
  static constexpr std::string_view kAdvice = "name an HDF5 file that can be read";
  std::error_code error;  // asked before HDF5 is: opening a FIFO would wait for ever
  const std::filesystem::file_status status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) {
    const bool missing = status.type() == std::filesystem::file_type::not_found;
    throw file_failure(kWhat, file, missing ? "does not exist" : error.message(), kAdvice);
  }
  if (!std::filesystem::is_regular_file(status))
    throw file_failure(kWhat, file, "is not a regular file", kAdvice);
  const PropertyList access =
      file_access();  // to be closed after the error was read: any HDF5 call forgets it
  const hid_t id = H5Fopen(file.c_str(), H5F_ACC_RDONLY, access.id());
  if (id < 0) throw file_failure(kWhat, file, innermost_error(), kAdvice);
  return File{id};
}

File open_image(std::span<const std::byte> bytes) {
  silence();
  void* const image = const_cast<std::byte*>(bytes.data());  // HDF5's types know no const; see the callbacks
  const PropertyList access = file_access();
  check(H5Pset_fapl_core(access.id(), kImageIncrement, false));
  H5FD_file_image_callbacks_t callbacks{lend, keep, refuse_to_grow, leave, share, unshare, image};
  check(H5Pset_file_image_callbacks(access.id(), &callbacks));
  check(H5Pset_file_image(access.id(), image, bytes.size()));
  const hid_t id = H5Fopen(next_memory_name().c_str(), H5F_ACC_RDONLY, access.id());
  if (id < 0)
    throw file_failure("cannot open an HDF5 file", "memory", innermost_error(), "check where it comes from");
  return File{id};
}

File create_in_memory() {
  silence();
  const PropertyList access = file_access();
  check(H5Pset_fapl_core(access.id(), kImageIncrement, false));
  const PropertyList creation = untimed(H5P_FILE_CREATE);
  return File{checked(H5Fcreate(next_memory_name().c_str(), H5F_ACC_TRUNC, creation.id(), access.id()))};
}

File create_file(const std::filesystem::path& file) {
  silence();
  const PropertyList creation = untimed(H5P_FILE_CREATE);
  const PropertyList access = file_access();
  const hid_t id = H5Fcreate(file.c_str(), H5F_ACC_EXCL, creation.id(), access.id());
  if (id < 0) {
    throw file_failure("cannot create an HDF5 file", file, innermost_error(),
                       "name another place, or make room and allow writing there");
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

bool exists(hid_t parent, const std::string& name) {
  silence();
  return exists_by_hard_links(parent, name);
}

bool is_group(hid_t parent, const std::string& name) {
  silence();
  require(parent, name);
  const Handle<H5Oclose> object{checked(H5Oopen(parent, name.c_str(), H5P_DEFAULT), parent, name)};
  return H5Iget_type(object.id()) == H5I_GROUP;
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

bool is_float16(hid_t parent, const std::string& dataset) {
  const Dataset opened = open_dataset(parent, dataset);
  return is_float16(Type{checked(H5Dget_type(opened.id()), parent, dataset)});
}

template <typename T>
std::vector<T> read(hid_t parent, const std::string& dataset, std::uint64_t max_elements) {
  const Dataset opened = open_dataset(parent, dataset);
  const Type type{checked(H5Dget_type(opened.id()), parent, dataset)};
  check_numeric<T>(type, parent, dataset);
  check_storage(opened, type, parent, dataset);
  const Space space{checked(H5Dget_space(opened.id()), parent, dataset)};
  const std::uint64_t count = elements(space);
  if (count > max_elements) {
    throw failure(parent, dataset,
                  fmt::format("holds {} values, at most {} are expected", count, max_elements));
  }
  std::vector<T> values(count);
  if (values.empty()) return values;
  check(H5Dread(opened.id(), native_type<T>().id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), parent,
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
    const std::uint64_t row = elements(std::span(extents).subspan(1));
    chunk[0] = std::clamp<std::uint64_t>(kChunkElements / row, 1, extents[0]);
    check(H5Pset_chunk(properties.id(), static_cast<int>(chunk.size()), chunk.data()));
    check(H5Pset_shuffle(properties.id()));
    check(H5Pset_deflate(properties.id(), kDeflateLevel));
  }
  const Space space = make_space(extents);
  const Dataset created{checked(H5Dcreate2(parent, dataset.c_str(), file_type<T>().id(), space.id(),
                                           H5P_DEFAULT, properties.id(), H5P_DEFAULT),
                                parent, dataset)};
  if (values.empty()) return;
  check(H5Dwrite(created.id(), native_type<T>().id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), parent,
        dataset);
}

namespace {

/// Where a file ends by its superblock of version 0 (HDF5 File Format Specification, III.A), which is what
/// HDF5 writes where the earliest format is allowed.
std::uint64_t end_of_file(std::span<const std::byte> image) {
  constexpr std::size_t kVersion = 8;
  constexpr std::size_t kOffsetBytes = 13;
  constexpr std::size_t kEnd = 40;
  std::uint64_t end = 0;
  if (image.size() < kEnd + sizeof(end) || image[kVersion] != std::byte{0} ||
      image[kOffsetBytes] != std::byte{sizeof(end)}) {
    throw Error{Error::Kind::kFailed, "HDF5 failed", "memory: a superblock of another version than asked for",
                "build headstart with HDF5 1.10 to 1.14"};
  }
  std::memcpy(&end, image.data() + kEnd, sizeof(end));
  return end;
}

}  // namespace

/// What HDF5 made of a LendingFile, taken from it when it would free it.
struct LendingFile::Image {
  std::byte* bytes = nullptr;
  std::size_t size = 0;

  /// Zeros up to there, where HDF5 stopped earlier.
  void reach(std::size_t end) {
    if (end <= size) return;
    void* const grown = std::realloc(bytes, end);
    if (grown == nullptr) throw std::bad_alloc();
    bytes = static_cast<std::byte*>(grown);
    std::memset(bytes + size, 0, end - size);
    size = end;
  }
  static void* grow(void* bytes, std::size_t size, H5FD_file_image_op_t, void* image) {
    void* const grown = std::realloc(bytes, size);
    if (grown != nullptr) static_cast<Image*>(image)->size = size;
    return grown;
  }
  /// HDF5 frees once, when it closes the file.
  static herr_t keep(void* bytes, H5FD_file_image_op_t, void* image) {
    static_cast<Image*>(image)->bytes = static_cast<std::byte*>(bytes);
    return 0;
  }
};

void LendingFile::FreeImage::operator()(Image* image) const noexcept {
  std::free(image->bytes);
  delete image;
}

// Everything that HDF5 itself writes comes to lie before the lent values, so that its image ends there: that
// is what the blocks are for, and that datasets are lent last.
LendingFile::LendingFile() : image_(new Image), file_(H5I_INVALID_HID) {
  silence();
  const PropertyList access = file_access();
  check(H5Pset_fapl_core(access.id(), kImageIncrement, false));
  H5FD_file_image_callbacks_t callbacks{nullptr, nullptr, Image::grow, Image::keep,
                                        share,   unshare, image_.get()};
  check(H5Pset_file_image_callbacks(access.id(), &callbacks));
  check(H5Pset_meta_block_size(access.id(), kOutlineBytes));
  check(H5Pset_libver_bounds(access.id(), H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST));
  const PropertyList creation = untimed(H5P_FILE_CREATE);
  file_ = File{checked(H5Fcreate(next_memory_name().c_str(), H5F_ACC_TRUNC, creation.id(), access.id()))};
}

void LendingFile::write(hid_t parent, const std::string& dataset, const Extents& extents,
                        std::span<const float> values) {
  if (values.size_bytes() < kLentBytes) return hdf5::write<float>(parent, dataset, extents, values);
  if (elements(extents) != values.size())
    throw failure(parent, dataset, "is given a shape that does not fit its values");
  lent_.push_back({name_of(parent, H5Iget_name) + '/' + dataset, extents, std::as_bytes(values)});
}

std::vector<std::span<const std::byte>> LendingFile::close() {
  for (Lent& lent : lent_) {
    const PropertyList properties = untimed(H5P_DATASET_CREATE);
    check(H5Pset_alloc_time(properties.id(), H5D_ALLOC_TIME_EARLY));
    check(H5Pset_fill_time(properties.id(), H5D_FILL_TIME_NEVER));
    const Space space = make_space(lent.extents);
    const Dataset dataset{checked(H5Dcreate2(id(), lent.path.c_str(), file_type<float>().id(), space.id(),
                                             H5P_DEFAULT, properties.id(), H5P_DEFAULT),
                                  id(), lent.path)};
    lent.offset = H5Dget_offset(dataset.id());
    if (lent.offset == HADDR_UNDEF) throw failure(id(), lent.path, "was given no place");
  }
  std::ranges::sort(lent_, {}, &Lent::offset);
  check(H5Fclose(file_.release()));

  std::vector<std::span<const std::byte>> parts;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> gaps;  // which are HDF5's; of no bytes where none are
  std::uint64_t end = 0;
  for (const Lent& lent : lent_) {
    gaps.emplace_back(end, lent.offset);
    end = lent.offset + lent.values.size();
  }
  gaps.emplace_back(end, std::max(end_of_file({image_->bytes, image_->size}), end));
  for (const auto& [from, to] : gaps) {
    if (to > from) image_->reach(to);
  }
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    const auto [from, to] = gaps[i];
    if (to > from) parts.emplace_back(image_->bytes + from, to - from);
    if (i < lent_.size()) parts.push_back(lent_[i].values);
  }
  return parts;
}

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
  check_storage(opened, type, parent, dataset);
  if (extents_of(space).size() != 1) throw failure(parent, dataset, "is no list of strings");
  const std::uint64_t count = elements(space);
  if (count > max_strings) {
    throw failure(parent, dataset,
                  fmt::format("holds {} strings, at most {} are expected", count, max_strings));
  }
  if (count == 0) return {};
  const auto read = [&](void* to) {
    check(H5Dread(opened.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, to), parent, dataset);
  };
  const bool variable = H5Tis_variable_str(type.id()) > 0;
  hsize_t bytes = 0;
  if (variable) check(H5Dvlen_get_buf_size(opened.id(), type.id(), space.id(), &bytes), parent, dataset);
  if (variable ? bytes > kMaxTextBytes : too_long(type, count, kMaxTextBytes))
    throw failure(parent, dataset, "holds more than 1 GiB of text");
  return variable ? read_variable_strings(type, space, count, read) : read_fixed_strings(type, count, read);
}

namespace {

Dataset create_matrix(hid_t parent, const std::string& dataset, const Extents& extents, FeatureType storage) {
  silence();
  const Type type = storage == FeatureType::kFloat16 ? float16_type() : copy_of(H5T_IEEE_F32LE);
  const PropertyList properties = untimed(H5P_DATASET_CREATE);
  return Dataset{checked(H5Dcreate2(parent, dataset.c_str(), type.id(), make_space(extents).id(), H5P_DEFAULT,
                                    properties.id(), H5P_DEFAULT),
                         parent, dataset)};
}

}  // namespace

MatrixWriter::MatrixWriter(hid_t parent, const std::string& dataset, std::uint64_t rows,
                           std::uint64_t columns, FeatureType storage)
    : dataset_(create_matrix(parent, dataset, {rows, columns}, storage)), columns_(columns) {}

void MatrixWriter::append(std::span<const float> values) {
  silence();
  const std::array<hsize_t, 2> start{next_, 0};
  const std::array<hsize_t, 2> count{values.size() / columns_, columns_};
  const Space file{checked(H5Dget_space(dataset_.id()))};
  check(H5Sselect_hyperslab(file.id(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr));
  const Space memory{checked(H5Screate_simple(2, count.data(), nullptr))};
  check(H5Dwrite(dataset_.id(), H5T_NATIVE_FLOAT, memory.id(), file.id(), H5P_DEFAULT, values.data()),
        dataset_.id(), ".");
  next_ += count[0];
}

MatrixReader::MatrixReader(hid_t parent, const std::string& dataset)
    : dataset_(open_dataset(parent, dataset)) {
  const Type type{checked(H5Dget_type(dataset_.id()), parent, dataset)};
  check_numeric<float>(type, parent, dataset);
  check_storage(dataset_, type, parent, dataset);
  const Extents shape = extents_of(Space{checked(H5Dget_space(dataset_.id()), parent, dataset)});
  if (shape.size() != 2) throw failure(parent, dataset, "is no matrix");
  rows_ = shape[0];
  columns_ = shape[1];
}

void MatrixReader::read(std::uint64_t first, std::span<float> values) const {
  silence();
  const std::array<hsize_t, 2> start{first, 0};
  const std::array<hsize_t, 2> count{values.size() / columns_, columns_};
  const Space file{checked(H5Dget_space(dataset_.id()))};
  check(H5Sselect_hyperslab(file.id(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr));
  const Space memory{checked(H5Screate_simple(2, count.data(), nullptr))};
  check(H5Dread(dataset_.id(), H5T_NATIVE_FLOAT, memory.id(), file.id(), H5P_DEFAULT, values.data()),
        dataset_.id(), ".");
}

bool has_attribute(hid_t object, const std::string& name) {
  silence();
  const htri_t found = H5Aexists(object, name.c_str());
  check(found, object, name);
  return found > 0;
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
  check_numeric<T>(type, object, attribute);
  const Space space{checked(H5Aget_space(opened.id()), object, attribute)};
  const std::uint64_t count = elements(space);
  if (count > kMaxAttributeNumbers) throw failure(object, attribute, fmt::format("holds {} values", count));
  std::vector<T> values(count);
  if (values.empty()) return values;
  check(H5Aread(opened.id(), native_type<T>().id(), values.data()), object, attribute);
  return values;
}

void write_string(hid_t object, const std::string& attribute, const std::string& value) {
  const std::size_t size = std::max<std::size_t>(value.size(), 1);  // HDF5 has no string of length 0
  write_attribute(object, attribute, string_type(size, H5T_CSET_UTF8), make_space({}), value.c_str());
}

void write_variable_string(hid_t object, const std::string& attribute, const std::string& value) {
  const char* const text = value.c_str();
  write_attribute(object, attribute, string_type(H5T_VARIABLE, H5T_CSET_UTF8), make_space({}), &text);
}

void write_strings(hid_t object, const std::string& attribute, const std::vector<std::string>& values) {
  std::size_t width = 1;
  for (const std::string& value : values) width = std::max(width, value.size());
  std::string buffer(width * values.size(), '\0');
  for (std::size_t i = 0; i < values.size(); ++i) values[i].copy(buffer.data() + i * width, width);
  write_attribute(object, attribute, string_type(width, H5T_CSET_UTF8), make_space({values.size()}),
                  buffer.data());
}

template <typename T>
void write_numbers(hid_t object, const std::string& attribute, const Extents& extents,
                   std::span<const T> values) {
  if (elements(extents) != values.size()) {
    throw failure(object, attribute, "is given a shape that does not fit its values");
  }
  write_attribute(object, attribute, file_type<T>(), make_space(extents), values.data());
}

#define HEADSTART_INSTANTIATE_DATASETS(T)                                    \
  template std::vector<T> read<T>(hid_t, const std::string&, std::uint64_t); \
  template void write<T>(hid_t, const std::string&, const Extents&, std::span<const T>, bool)
#define HEADSTART_INSTANTIATE(T)                                      \
  HEADSTART_INSTANTIATE_DATASETS(T);                                  \
  template std::vector<T> read_numbers<T>(hid_t, const std::string&); \
  template void write_numbers<T>(hid_t, const std::string&, const Extents&, std::span<const T>)
HEADSTART_INSTANTIATE_DATASETS(Float16);
HEADSTART_INSTANTIATE(float);
HEADSTART_INSTANTIATE(double);
HEADSTART_INSTANTIATE(std::int32_t);
HEADSTART_INSTANTIATE(std::int64_t);
HEADSTART_INSTANTIATE(std::uint8_t);
#undef HEADSTART_INSTANTIATE
#undef HEADSTART_INSTANTIATE_DATASETS

}  // namespace headstart::hdf5

// tests/fuzz/hdf5_recipe.cpp: plain HDF5 calls whose failures are passed over: what can't be written can't be
// sent either.
#include "tests/fuzz/hdf5_recipe.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <span>

namespace headstart::fuzz {
namespace {

using hdf5::Attribute;
using hdf5::Dataset;
using hdf5::Extents;
using hdf5::Group;
using hdf5::PropertyList;
using hdf5::Space;
using hdf5::Type;
using Object = hdf5::Handle<H5Oclose>;

/// More is never written, so that a file stays small.
constexpr std::uint64_t kMaxWritten = 1U << 16U;

/// What can be wrong with an object. kNone is first, as exhausted data gives it.
enum class Spoilt : std::uint8_t {
  kNone,
  kMissing,
  kExtents,
  kType,
  kValues,
  kOneValue,
  kNullSpace,
  kOtherKind,
  kSoftLink,
  kExternalLink,
  kHardLink,
  kChunks,
  kExternalStorage,
  kVirtual,
  kCompact,
  kMaxValue = kCompact
};

Type copy_of(hid_t type) { return Type{H5Tcopy(type)}; }

Type float16() {
  Type type = copy_of(H5T_IEEE_F32LE);
  H5Tset_fields(type.id(), 15, 10, 5, 0, 10);
  H5Tset_size(type.id(), 2);
  H5Tset_ebias(type.id(), 15);
  return type;
}

Type fixed_string(std::size_t width) {
  Type type = copy_of(H5T_C_S1);
  H5Tset_size(type.id(), width);
  H5Tset_strpad(type.id(), H5T_STR_NULLPAD);
  return type;
}

/// An object's type, extents and bytes, before and after it is spoilt.
struct Content {
  Type type;
  Extents extents;
  bool is_null = false;
  std::vector<std::uint8_t> bytes{};  ///< in memory as `type` has it; empty: not written
  std::vector<std::string> texts{};   ///< that pointers in `bytes` point to
  PropertyList creation{H5Pcreate(H5P_DATASET_CREATE)};
};

template <typename T>
std::vector<std::uint8_t> bytes_of(const std::vector<T>& values) {
  const auto* const start = reinterpret_cast<const std::uint8_t*>(values.data());
  return {start, start + values.size() * sizeof(T)};
}

void point_to_texts(Content& content) {
  std::vector<const char*> pointers;
  for (const std::string& text : content.texts) pointers.push_back(text.c_str());
  content.bytes = bytes_of(pointers);
}

Content content_of(const Hdf5Object& object) {
  Content content{.type = copy_of(H5T_IEEE_F32LE), .extents = object.extents};
  const auto numbers = [&](hid_t type, const auto& values) {
    content.type = copy_of(type);
    content.bytes = bytes_of(values);
  };
  if (const auto* halves = std::get_if<std::vector<Float16>>(&object.values))
    numbers(float16().id(), *halves);
  if (const auto* floats = std::get_if<std::vector<float>>(&object.values)) numbers(H5T_IEEE_F32LE, *floats);
  if (const auto* ints = std::get_if<std::vector<std::int32_t>>(&object.values))
    numbers(H5T_STD_I32LE, *ints);
  if (const auto* longs = std::get_if<std::vector<std::int64_t>>(&object.values))
    numbers(H5T_STD_I64LE, *longs);
  if (const auto* bytes = std::get_if<std::vector<std::uint8_t>>(&object.values))
    numbers(H5T_STD_U8LE, *bytes);
  if (const auto* variable = std::get_if<Hdf5Object::VariableString>(&object.values)) {
    content.type = fixed_string(H5T_VARIABLE);
    content.texts = {variable->text};
    point_to_texts(content);
  }
  if (const auto* variables = std::get_if<Hdf5Object::VariableStrings>(&object.values)) {
    content.type = fixed_string(H5T_VARIABLE);
    content.extents = {variables->texts.size()};
    content.texts = variables->texts;
    point_to_texts(content);
  }
  if (const auto* fixed = std::get_if<Hdf5Object::FixedStrings>(&object.values)) {
    std::size_t width = 1;
    for (const std::string& text : fixed->texts) width = std::max(width, text.size());
    content.type = fixed_string(width);
    content.extents = {fixed->texts.size()};
    for (std::string text : fixed->texts) {
      text.resize(width);
      content.bytes.insert(content.bytes.end(), text.begin(), text.end());
    }
  }
  return content;
}

std::uint64_t draw_extent(FuzzedDataProvider& data) {
  static constexpr std::array<std::uint64_t, 11> kExtents{
      0, 1, 2, 3, 31, 32, 33, 512, std::uint64_t{1} << 31U, std::uint64_t{1} << 32U, std::uint64_t{1} << 62U};
  return data.ConsumeBool() ? data.PickValueInArray(kExtents) : data.ConsumeIntegralInRange<unsigned>(0, 40);
}

Extents draw_extents(FuzzedDataProvider& data) {
  Extents extents(data.ConsumeIntegralInRange<std::size_t>(0, data.ConsumeBool() ? H5S_MAX_RANK : 4));
  for (std::uint64_t& extent : extents) extent = draw_extent(data);
  return extents;
}

Type draw_type(FuzzedDataProvider& data) {
  switch (data.ConsumeIntegralInRange(0, 18)) {
    case 0:
      return copy_of(H5T_IEEE_F64LE);
    case 1:
      return copy_of(H5T_IEEE_F32BE);
    case 2:
      return copy_of(H5T_STD_I8LE);
    case 3:
      return copy_of(H5T_STD_U16BE);
    case 4:
      return copy_of(H5T_STD_I32BE);
    case 5:
      return copy_of(H5T_STD_U64LE);
    case 6:
      return copy_of(H5T_STD_I64LE);
    case 7:
      return copy_of(H5T_STD_B32LE);
    case 8:
      return copy_of(H5T_STD_REF_OBJ);
    case 9:
      return fixed_string(data.ConsumeIntegralInRange<std::size_t>(1, 4096));
    case 10:
      return fixed_string(H5T_VARIABLE);
    case 11:
      return Type{H5Tcreate(H5T_OPAQUE, data.ConsumeIntegralInRange<std::size_t>(1, 100))};
    case 12: {
      Type compound{H5Tcreate(H5T_COMPOUND, 12)};
      H5Tinsert(compound.id(), "a", 0, H5T_STD_I32LE);
      H5Tinsert(compound.id(), "b", 4, H5T_IEEE_F64LE);
      return compound;
    }
    case 13: {
      Type names{H5Tenum_create(H5T_STD_I32LE)};
      const std::int32_t one = 1;
      H5Tenum_insert(names.id(), "ONE", &one);
      return names;
    }
    case 14:
      return Type{H5Tvlen_create(H5T_IEEE_F32LE)};
    case 15: {
      const std::array<hsize_t, 2> inside{2, 3};
      return Type{H5Tarray_create2(H5T_IEEE_F32LE, 2, inside.data())};
    }
    case 16: {  // an integer of fewer bits than its bytes have
      Type type = copy_of(H5T_STD_I32LE);
      H5Tset_precision(type.id(), data.ConsumeIntegralInRange<std::size_t>(1, 31));
      return type;
    }
    case 17:
      return float16();
    default: {  // and one of more bytes than any of C's
      Type type = copy_of(H5T_STD_I64LE);
      H5Tset_size(type.id(), data.ConsumeIntegralInRange<std::size_t>(1, 40));
      return type;
    }
  }
}

std::uint64_t elements(const Content& content) {
  std::uint64_t product = content.is_null ? 0 : 1;
  for (const std::uint64_t extent : content.extents) {
    if (extent != 0 && product > std::numeric_limits<std::uint64_t>::max() / extent)
      return std::numeric_limits<std::uint64_t>::max();
    product *= extent;
  }
  return product;
}

/// Fills what is small and has no pointers with the fuzzer's bytes.
void draw_values(Content& content, FuzzedDataProvider& data) {
  content.bytes.clear();
  content.texts.clear();
  const std::uint64_t count = elements(content);
  if (count == 0 || count > kMaxWritten) return;
  if (H5Tis_variable_str(content.type.id()) > 0) {
    if (count > 64) return;
    for (std::uint64_t i = 0; i < count; ++i) content.texts.push_back(data.ConsumeRandomLengthString(64));
    return point_to_texts(content);
  }
  const H5T_class_t kind = H5Tget_class(content.type.id());
  if (kind == H5T_VLEN || kind == H5T_REFERENCE) return;
  const std::uint64_t size = count * H5Tget_size(content.type.id());
  if (size > kMaxWritten) return;
  content.bytes = data.ConsumeBytes<std::uint8_t>(size);
  content.bytes.resize(size);
}

void change_one_value(Content& content, FuzzedDataProvider& data) {
  if (!content.texts.empty()) {
    content.texts.front() = data.ConsumeRandomLengthString(64);
    return point_to_texts(content);
  }
  if (content.bytes.empty()) return;
  const std::size_t width = std::min(H5Tget_size(content.type.id()), content.bytes.size());
  const std::size_t place = data.ConsumeIntegralInRange<std::size_t>(0, content.bytes.size() - width);
  const std::vector<std::uint8_t> value = data.ConsumeBytes<std::uint8_t>(width);
  std::copy(value.begin(), value.end(),
            content.bytes.begin() + static_cast<std::ptrdiff_t>(place / width * width));
}

void draw_chunks(Content& content, FuzzedDataProvider& data) {
  std::vector<hsize_t> chunk(content.extents.begin(), content.extents.end());
  for (hsize_t& extent : chunk) {
    if (data.ConsumeBool()) extent = draw_extent(data);
    extent = std::clamp<hsize_t>(extent, 1, std::numeric_limits<std::uint32_t>::max());
  }
  const hid_t properties = content.creation.id();
  H5Pset_chunk(properties, static_cast<int>(chunk.size()), chunk.data());
  std::uint64_t bytes = H5Tget_size(content.type.id());
  for (const hsize_t extent : chunk) bytes = bytes > kMaxWritten ? bytes : bytes * extent;
  if (bytes > kMaxWritten) content.bytes.clear();  // a chunk is written whole
  for (int filters = data.ConsumeIntegralInRange(0, 3); filters > 0; --filters) {
    const int filter = data.ConsumeIntegralInRange(0, 5);
    if (filter > 2) content.bytes.clear();  // HDF5 1.10 can crash in these filters even as it writes
    switch (filter) {
      case 0:
        H5Pset_deflate(properties, data.ConsumeIntegralInRange(0U, 9U));
        break;
      case 1:
        H5Pset_shuffle(properties);
        break;
      case 2:
        H5Pset_fletcher32(properties);
        break;
      case 3:
        H5Pset_nbit(properties);
        break;
      case 4:
        H5Pset_scaleoffset(properties, H5Z_SO_INT, data.ConsumeIntegralInRange(0, 16));
        break;
      default:  // one that nobody has
        H5Pset_filter(properties, 32000, H5Z_FLAG_OPTIONAL, 0, nullptr);
    }
  }
}

Space space_of(const Content& content) {
  if (content.is_null) return Space{H5Screate(H5S_NULL)};
  if (content.extents.empty()) return Space{H5Screate(H5S_SCALAR)};
  const std::vector<hsize_t> extents(content.extents.begin(), content.extents.end());
  return Space{H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr)};
}

void write_group(hid_t parent, const std::string& name) {
  const Group group{H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)};
}

void write_dataset(hid_t parent, const std::string& name, const Content& content) {
  const Space space = space_of(content);
  const Dataset dataset{H5Dcreate2(parent, name.c_str(), content.type.id(), space.id(), H5P_DEFAULT,
                                   content.creation.id(), H5P_DEFAULT)};
  if (dataset.id() < 0 || content.bytes.empty() || content.is_null) return;
  H5Dwrite(dataset.id(), content.type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, content.bytes.data());
}

void write_attribute(hid_t parent, const std::string& name, const Content& content) {
  const std::uint64_t count = elements(content);
  if (count > kMaxWritten) return;  // HDF5 allocates an attribute when it makes one
  const Space space = space_of(content);
  const Attribute attribute{
      H5Acreate2(parent, name.c_str(), content.type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT)};
  if (attribute.id() < 0 || content.bytes.empty() || content.is_null) return;
  H5Awrite(attribute.id(), content.type.id(), content.bytes.data());
}

void write(hid_t parent, const Hdf5Object& object, Hdf5Object::Kind kind, const Content& content) {
  switch (kind) {
    case Hdf5Object::Kind::kGroup:
      return write_group(parent, object.name);
    case Hdf5Object::Kind::kDataset:
      return write_dataset(parent, object.name, content);
    case Hdf5Object::Kind::kAttribute:
      return write_attribute(parent, object.name, content);
  }
}

void link_elsewhere(hid_t parent, const std::string& name, Spoilt how, const std::vector<Hdf5Object>& objects,
                    FuzzedDataProvider& data) {
  const Hdf5Object& other =
      objects[data.ConsumeIntegralInRange<std::size_t>(0, std::max<std::size_t>(objects.size(), 1) - 1)];
  const std::string target =
      data.ConsumeBool() ? other.parent : other.parent + (other.parent == "/" ? "" : "/") + other.name;
  if (how == Spoilt::kSoftLink)
    H5Lcreate_soft(target.c_str(), parent, name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
  if (how == Spoilt::kExternalLink)
    H5Lcreate_external("/dev/null", target.c_str(), parent, name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
  if (how == Spoilt::kHardLink)
    H5Lcreate_hard(parent, target.c_str(), parent, name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
}

void write_spoilt(hid_t parent, const Hdf5Object& object, const std::vector<Hdf5Object>& objects,
                  FuzzedDataProvider& data) {
  const auto how = data.ConsumeEnum<Spoilt>();
  Content content = content_of(object);
  Hdf5Object::Kind kind = object.kind;
  switch (how) {
    case Spoilt::kNone:
      break;
    case Spoilt::kMissing:
      return;
    case Spoilt::kExtents:
      content.extents = draw_extents(data);
      draw_values(content, data);
      break;
    case Spoilt::kType:
      content.type = draw_type(data);
      draw_values(content, data);
      break;
    case Spoilt::kValues:
      draw_values(content, data);
      break;
    case Spoilt::kOneValue:
      change_one_value(content, data);
      break;
    case Spoilt::kNullSpace:
      content.is_null = true;
      break;
    case Spoilt::kOtherKind:
      kind = data.ConsumeBool()                 ? Hdf5Object::Kind::kAttribute
             : kind == Hdf5Object::Kind::kGroup ? Hdf5Object::Kind::kDataset
                                                : Hdf5Object::Kind::kGroup;
      break;
    case Spoilt::kSoftLink:
    case Spoilt::kExternalLink:
    case Spoilt::kHardLink:
      return link_elsewhere(parent, object.name, how, objects, data);
    case Spoilt::kChunks:
      draw_chunks(content, data);
      break;
    case Spoilt::kExternalStorage:
      H5Pset_external(content.creation.id(), "/dev/zero", 0, H5F_UNLIMITED);
      content.bytes.clear();
      break;
    case Spoilt::kVirtual: {
      const Space space = space_of(content);
      H5Pset_virtual(content.creation.id(), space.id(), data.ConsumeBool() ? "." : "/dev/null", "/data",
                     space.id());
      content.bytes.clear();
      break;
    }
    case Spoilt::kCompact:
      H5Pset_layout(content.creation.id(), H5D_COMPACT);
      break;
  }
  write(parent, object, kind, content);
}

}  // namespace

std::vector<std::byte> hdf5_file_of(const std::vector<Hdf5Object>& objects, FuzzedDataProvider& data) {
  const hdf5::File file = hdf5::create_in_memory();
  for (const Hdf5Object& object : objects) {
    const Object parent{H5Oopen(file.id(), object.parent.c_str(), H5P_DEFAULT)};
    if (parent.id() >= 0) write_spoilt(parent.id(), object, objects, data);
  }
  return hdf5::file_image(file);
}

}  // namespace headstart::fuzz

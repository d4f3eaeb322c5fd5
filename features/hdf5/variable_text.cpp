// features/hdf5/variable_text.cpp: strings are read as an opaque type, and the conversion to that type is
// headstart's own. HDF5 calls it with the elements as they are in the file, before HDF5 looks at them itself.
#include "features/hdf5/variable_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <exception>
#include <memory>
#include <string_view>
#include <utility>

#include "features/hdf5/calls.hpp"

namespace headstart::hdf5 {
namespace {

static_assert(std::endian::native == std::endian::little, "lengths are read as they are in a file");

constexpr const char* kTag = "headstart text";

/// The text of one read, in blocks whose sizes follow from the lengths.
class TextArena {
 public:
  /// @param type     of the strings in memory
  /// @param longest  bytes of a string
  /// @param most     bytes of all strings
  TextArena(const Type& type, std::uint64_t longest, std::uint64_t most)
      : type_(type.id()), longest_(longest), most_(most), transfer_(checked(H5Pcreate(H5P_DATASET_XFER))) {
    check(H5Pset_vlen_mem_manager(transfer_.id(), allocate, this, keep, nullptr));
  }
  TextArena(const TextArena&) = delete;
  TextArena& operator=(const TextArena&) = delete;

  /// Replaces the elements of a file by pointers to strings, in place. Negative: that failed.
  herr_t convert(hid_t from, std::size_t count, void* values) {
    const std::size_t size = H5Tget_size(from);
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < count; ++i) {
      std::uint32_t length = 0;  // the start of an element
      std::memcpy(&length, static_cast<const std::byte*>(values) + i * size, sizeof(length));
      claimed_ = std::max<std::uint64_t>(claimed_, length);
      bytes += length;
    }
    total_ += bytes;
    if (claimed_ > longest_ || total_ > most_) return -1;
    left_ = bytes + count;  // each with a terminating zero
    blocks_.emplace_back(new char[left_]);
    next_ = blocks_.back().get();
    return H5Tconvert(from, type_, count, values, nullptr, transfer_.id());
  }

  /// Size in bytes of the longest requested string.
  [[nodiscard]] std::uint64_t claimed() const noexcept { return claimed_; }
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }

 private:
  static void* allocate(std::size_t bytes, void* arena) noexcept {
    auto& self = *static_cast<TextArena*>(arena);
    if (bytes > self.left_) return nullptr;
    self.left_ -= bytes;
    return std::exchange(self.next_, self.next_ + bytes);
  }
  static void keep(void*, void*) noexcept {}

  hid_t type_;
  std::uint64_t longest_;
  std::uint64_t most_;
  PropertyList transfer_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
  std::uint64_t claimed_ = 0;
  std::uint64_t total_ = 0;
};

/// The arena that the conversion fills. A global, because HDF5 passes no user data to the conversion. Only
/// one thread at a time uses HDF5.
TextArena* filled_arena = nullptr;

bool is_ours(hid_t type) {
  const std::unique_ptr<char, decltype(&H5free_memory)> tag(H5Tget_tag(type), H5free_memory);
  return tag && std::string_view(tag.get()) == kTag;
}

/// The conversion, in the form that H5Tregister() requires.
herr_t convert_text(hid_t from, hid_t to, H5T_cdata_t* call, std::size_t count, std::size_t stride,
                    std::size_t, void* values, void*, hid_t) noexcept {
  switch (call->command) {
    case H5T_CONV_INIT:
      call->need_bkg = H5T_BKG_NO;
      return H5Tis_variable_str(from) > 0 && is_ours(to) ? 0 : -1;
    case H5T_CONV_CONV:
      try {
        return filled_arena != nullptr && stride == 0 ? filled_arena->convert(from, count, values) : -1;
      } catch (const std::exception&) {  // no memory, or no more handles
        return -1;
      }
    default:
      return 0;
  }
}

/// The type as which strings are read: pointers to them.
Type pointer_type(const Type& text) {
  Type type{checked(H5Tcreate(H5T_OPAQUE, sizeof(char*)))};
  check(H5Tset_tag(type.id(), kTag));
  static const bool registered = [&] {
    check(H5Tregister(H5T_PERS_SOFT, kTag, text.id(), type.id(), convert_text));
    return true;
  }();
  static_cast<void>(registered);
  return type;
}

}  // namespace

Error too_much_text(hid_t object, const std::string& name, std::uint64_t most_bytes) {
  return failure(object, name, fmt::format("holds more than {} MiB of text", most_bytes >> 20U));
}

std::vector<std::string> read_variable_text(hid_t object, const std::string& name, const Type& type,
                                            std::uint64_t count, std::uint64_t most_bytes,
                                            const ReadAs& read) {
  const std::uint64_t longest = file_size(object, name);
  TextArena arena(type, longest, most_bytes);
  std::vector<const char*> pointers(count, nullptr);
  const Type as = pointer_type(type);
  filled_arena = &arena;
  const herr_t status = read(as.id(), pointers.data());
  filled_arena = nullptr;
  if (arena.claimed() > longest)
    throw failure(object, name,
                  fmt::format("claims a string of {} bytes, the file has {}", arena.claimed(), longest));
  if (arena.total() > most_bytes) throw too_much_text(object, name, most_bytes);
  check(status, object, name);
  std::vector<std::string> strings;
  strings.reserve(count);
  for (const char* const text : pointers) strings.emplace_back(text == nullptr ? "" : text);
  return strings;
}

}  // namespace headstart::hdf5

// features/hdf5/file.cpp
#include "features/hdf5/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <string_view>
#include <system_error>

#include "data/error.hpp"
#include "data/file_descriptor.hpp"
#include "features/hdf5/calls.hpp"
#include "features/hdf5/file_access.hpp"

namespace headstart::hdf5 {
namespace {

[[nodiscard]] Error file_failure(std::string_view what, const std::filesystem::path& file,
                                 std::string_view why, std::string_view advice) {
  return Error{Error::Kind::kFailed, what, fmt::format("{}: {}", file.string(), why), advice};
}

// HDF5 would copy an image twice. These callbacks, whose user data is the image itself, give HDF5 the
// caller's bytes. HDF5 neither writes to a file that is opened for reading, nor frees memory that it did not
// allocate.
void* lend(std::size_t, H5FD_file_image_op_t, void* image) { return image; }
void* keep(void* destination, const void*, std::size_t, H5FD_file_image_op_t, void*) { return destination; }
void* refuse_to_grow(void*, std::size_t, H5FD_file_image_op_t, void*) { return nullptr; }
herr_t leave(void*, H5FD_file_image_op_t, void*) { return 0; }
void* share(void* image) { return image; }
herr_t unshare(void*) { return 0; }

}  // namespace

File open_file(const std::filesystem::path& file) {
  silence();
  static constexpr std::string_view kWhat = "cannot open an HDF5 file";
  static constexpr std::string_view kAdvice = "name an HDF5 file that can be read";
  std::error_code error;  // checked before HDF5: opening a FIFO would wait forever
  const std::filesystem::file_status status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) {
    const bool missing = status.type() == std::filesystem::file_type::not_found;
    throw file_failure(kWhat, file, missing ? "does not exist" : error.message(), kAdvice);
  }
  if (!std::filesystem::is_regular_file(status))
    throw file_failure(kWhat, file, "is not a regular file", kAdvice);
  // HDF5 hides the system's reason among its own internals.
  if (!FileDescriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC)).is_open())
    throw file_failure(kWhat, file, std::generic_category().message(errno), kAdvice);
  const PropertyList access =
      file_access();  // closed after the error is read, because any HDF5 call forgets the error
  const hid_t id = H5Fopen(file.c_str(), H5F_ACC_RDONLY, access.id());
  if (id < 0) throw file_failure(kWhat, file, innermost_error(), kAdvice);
  return File{id};
}

File open_image(std::span<const std::byte> bytes) {
  silence();
  void* const image = const_cast<std::byte*>(bytes.data());  // HDF5's types have no const; see the callbacks
  H5FD_file_image_callbacks_t callbacks{lend, keep, refuse_to_grow, leave, share, unshare, image};
  const PropertyList access = memory_access(&callbacks);
  check(H5Pset_file_image(access.id(), image, bytes.size()));
  const hid_t id = H5Fopen(next_memory_name().c_str(), H5F_ACC_RDONLY, access.id());
  if (id < 0)
    throw file_failure("cannot open an HDF5 file", "memory", innermost_error(), "check where it comes from");
  return File{id};
}

File create_in_memory() {
  silence();
  const PropertyList access = memory_access();
  const PropertyList creation = untimed(H5P_FILE_CREATE);
  return File{checked(H5Fcreate(next_memory_name().c_str(), H5F_ACC_TRUNC, creation.id(), access.id()))};
}

std::vector<std::byte> file_image(const File& file) {
  check(H5Fflush(file.id(), H5F_SCOPE_GLOBAL), file.id(), "/");
  const ssize_t size = H5Fget_file_image(file.id(), nullptr, 0);
  if (size < 0) throw failure(file.id(), "/", innermost_error());
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  if (H5Fget_file_image(file.id(), bytes.data(), bytes.size()) != size)
    throw failure(file.id(), "/", innermost_error());
  return bytes;
}

}  // namespace headstart::hdf5

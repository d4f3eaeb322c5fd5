// features/hdf5/handle.hpp: ids of HDF5 objects, each closed by its owner.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace headstart::hdf5 {

/// Owns one HDF5 id.
template <herr_t (*Close)(hid_t)>
class Handle {
 public:
  explicit Handle(hid_t id) noexcept : id_(id) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (id_ >= 0) Close(id_);
  }
  [[nodiscard]] hid_t id() const noexcept { return id_; }
  /// Gives the id to the caller, who then owns it.
  [[nodiscard]] hid_t release() noexcept { return std::exchange(id_, H5I_INVALID_HID); }

 private:
  hid_t id_;
};

using File = Handle<H5Fclose>;
using Group = Handle<H5Gclose>;
using Dataset = Handle<H5Dclose>;
using Attribute = Handle<H5Aclose>;
using Type = Handle<H5Tclose>;
using Space = Handle<H5Sclose>;
using PropertyList = Handle<H5Pclose>;

/// Shape of a dataset or attribute; empty for a scalar.
using Extents = std::vector<std::uint64_t>;

}  // namespace headstart::hdf5

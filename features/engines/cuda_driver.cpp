// features/engines/cuda_driver.cpp: declares the few functions of the driver's C interface that are needed.
// Their types are part of its binary interface and do not change (CUDA Driver API).
#include "features/engines/cuda_driver.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <memory>

namespace headstart {
namespace {

constexpr int kSuccess = 0;        // CUDA_SUCCESS
constexpr int kNoDevice = 100;     // CUDA_ERROR_NO_DEVICE
constexpr int kComputeMajor = 75;  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
constexpr int kComputeMinor = 76;  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR
constexpr std::size_t kMaxName = 256;

struct CloseLibrary {
  void operator()(void* library) const noexcept { dlclose(library); }
};

/// A driver's functions; null for a function that the library does not have.
struct Functions {
  explicit Functions(void* library)
      : init(find<int (*)(unsigned)>(library, "cuInit")),
        driver_version(find<int (*)(int*)>(library, "cuDriverGetVersion")),
        device_count(find<int (*)(int*)>(library, "cuDeviceGetCount")),
        device(find<int (*)(int*, int)>(library, "cuDeviceGet")),
        device_name(find<int (*)(char*, int, int)>(library, "cuDeviceGetName")),
        device_attribute(find<int (*)(int*, int, int)>(library, "cuDeviceGetAttribute")),
        device_memory(find<int (*)(std::size_t*, int)>(library, "cuDeviceTotalMem_v2")) {}

  template <typename Function>
  static Function find(void* library, const char* name) {
    return reinterpret_cast<Function>(dlsym(library, name));
  }

  [[nodiscard]] bool complete() const noexcept {
    return init != nullptr && driver_version != nullptr && device_count != nullptr && device != nullptr &&
           device_name != nullptr && device_attribute != nullptr && device_memory != nullptr;
  }

  int (*init)(unsigned);
  int (*driver_version)(int*);
  int (*device_count)(int*);
  int (*device)(int*, int);
  int (*device_name)(char*, int, int);
  int (*device_attribute)(int*, int, int);
  int (*device_memory)(std::size_t*, int);
};

/// @return whether the device could be read
bool read_device(const Functions& driver, int ordinal, CudaDevice& device) {
  int handle = 0;
  std::array<char, kMaxName> name{};
  std::size_t bytes = 0;
  if (driver.device(&handle, ordinal) != kSuccess ||
      driver.device_name(name.data(), static_cast<int>(name.size() - 1), handle) != kSuccess ||
      driver.device_attribute(&device.compute_major, kComputeMajor, handle) != kSuccess ||
      driver.device_attribute(&device.compute_minor, kComputeMinor, handle) != kSuccess ||
      driver.device_memory(&bytes, handle) != kSuccess)
    return false;
  device.name = name.data();
  device.bytes = bytes;
  return true;
}

}  // namespace

CudaDriver find_cuda_driver(const std::string& library) {
  CudaDriver found;
  const std::unique_ptr<void, CloseLibrary> opened(
      dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE));
  if (!opened) {
    found.problem = fmt::format("no NVIDIA driver: {} cannot be loaded", library);
    return found;
  }
  const Functions driver(opened.get());
  if (!driver.complete()) {
    found.problem = fmt::format("{} is no NVIDIA driver that can be used: it lacks functions", library);
    return found;
  }
  driver.driver_version(&found.version);  // allowed before cuInit()
  int count = 0;
  int code = driver.init(0);
  if (code == kSuccess) code = driver.device_count(&count);
  if (code == kNoDevice || (code == kSuccess && count == 0)) {
    found.problem = "the NVIDIA driver finds no device";
  } else if (code != kSuccess) {
    found.problem = fmt::format("the NVIDIA driver does not start: CUDA error {}", code);
  }
  for (int ordinal = 0; found.problem.empty() && ordinal < count; ++ordinal) {
    CudaDevice device;
    if (read_device(driver, ordinal, device)) {
      found.devices.push_back(std::move(device));
    } else {
      found.problem = fmt::format("the NVIDIA driver does not answer for device {}", ordinal);
    }
  }
  if (!found.problem.empty()) found.devices.clear();
  return found;
}

std::string cuda_version_text(int version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

std::string describe(const CudaDevice& device) {
  return fmt::format("{}, compute capability {}.{}, {:.1f} GiB", device.name, device.compute_major,
                     device.compute_minor, static_cast<double>(device.bytes) / (1U << 30U));
}

}  // namespace headstart

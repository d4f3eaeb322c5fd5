// tests/features/engines/made_up_cuda_driver.cpp: a library with the driver's functions that cuda_driver asks
// for. The environment variable HEADSTART_MADE_UP_DRIVER says how it behaves: a CUDA error of cuInit, or
// "none" (it starts and has no device), or "silent" (its device does not answer), else a machine with two
// devices.
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

const char* behaviour() {
  const char* value = std::getenv("HEADSTART_MADE_UP_DRIVER");
  return value == nullptr ? "" : value;
}

}  // namespace

// The names are the driver's.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" {
int cuInit(unsigned) { return std::atoi(behaviour()); }
int cuDriverGetVersion(int* version) {
  *version = 12040;
  return 0;
}
int cuDeviceGetCount(int* count) {
  *count = std::strcmp(behaviour(), "none") == 0 ? 0 : 2;
  return 0;
}
int cuDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return std::strcmp(behaviour(), "silent") == 0 ? 999 : 0;
}
int cuDeviceGetName(char* name, int length, int device) {
  std::snprintf(name, static_cast<std::size_t>(length), "Made-up %d", device);
  return 0;
}
int cuDeviceGetAttribute(int* value, int attribute, int device) {
  *value = attribute == 75 ? 8 + device : 6;
  return 0;
}
int cuDeviceTotalMem_v2(std::size_t* bytes, int) {
  *bytes = std::size_t{24} << 30U;
  return 0;
}
}
// NOLINTEND(readability-identifier-naming)

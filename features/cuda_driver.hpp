// features/cuda_driver.hpp: what the NVIDIA driver says of itself and of its devices. The driver's library is
// loaded when it is asked, so that one binary tells what is missing on a machine without it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace headstart {

struct CudaDevice {
  std::string name;
  int compute_major = 0;
  int compute_minor = 0;
  std::uint64_t bytes = 0;  ///< of memory, all of it
};

struct CudaDriver {
  std::string problem{};  ///< why it can't be used; empty if it can
  int version = 0;  ///< of the newest CUDA that it runs: 1000 * major + 10 * minor; 0 if it does not say
  std::vector<CudaDevice> devices{};  ///< in the driver's order; empty where there is a problem
};

/// @param library  another one than the driver's, for tests
[[nodiscard]] CudaDriver find_cuda_driver(const std::string& library = "libcuda.so.1");

/// "13.0" of 13000.
[[nodiscard]] std::string cuda_version_text(int version);

/// "NVIDIA H100, compute capability 9.0, 79.1 GiB".
[[nodiscard]] std::string describe(const CudaDevice& device);

}  // namespace headstart

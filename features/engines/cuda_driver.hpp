// features/engines/cuda_driver.hpp: asks the NVIDIA driver about itself and its devices. The driver's library
// is loaded only for this question. So one binary also runs on a machine without the library, and can say
// what is missing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace headstart {

struct CudaDevice {
  std::string name;
  int compute_major = 0;
  int compute_minor = 0;
  std::uint64_t bytes = 0;  ///< of memory, in total
};

struct CudaDriver {
  std::string problem{};  ///< why the driver can't be used; empty if it can
  int version = 0;        ///< of the newest CUDA that it runs: 1000 * major + 10 * minor; 0 if unknown
  std::vector<CudaDevice> devices{};  ///< in the driver's order; empty if there is a problem
};

/// @param library  the driver's library; tests pass another one
[[nodiscard]] CudaDriver find_cuda_driver(const std::string& library = "libcuda.so.1");

/// "13.0" of 13000.
[[nodiscard]] std::string cuda_version_text(int version);

/// "NVIDIA H100, compute capability 9.0, 79.1 GiB".
[[nodiscard]] std::string describe(const CudaDevice& device);

}  // namespace headstart

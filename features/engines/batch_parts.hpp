// features/engines/batch_parts.hpp: runs a batch of fixed size through a device in parts. The parts become
// smaller when the device's memory is too small for one. Other programs may take device memory at any time.
#pragma once

#include <functional>
#include <stdexcept>

namespace headstart {

/// A part of a batch did not fit into the device's memory. No row of the part was computed.
struct OutOfDeviceMemory : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Calls run(first, part) for parts that cover [0, batch), each of `part` rows. The last part ends with the
/// batch, so it may repeat rows of the part before; all parts have the same shape. If run throws
/// OutOfDeviceMemory, `part` is halved for the rest of this batch and all later ones, and the same rows are
/// tried again.
/// @param part  1 to batch
/// @throws OutOfDeviceMemory from run if even one row is too much
void run_in_parts(int batch, int& part, const std::function<void(int first, int part)>& run);

}  // namespace headstart

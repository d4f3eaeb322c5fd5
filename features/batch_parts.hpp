// features/batch_parts.hpp: a batch of fixed size that goes through a device in parts, which become smaller
// when the device's memory does not hold one: other programs may take memory at any time.
#pragma once

#include <functional>
#include <stdexcept>

namespace headstart {

/// A part of a batch did not fit into the device's memory. Nothing of it was done.
struct OutOfDeviceMemory : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Calls run(first, part) for parts that cover [0, batch), all of `part` rows: the last one ends with the
/// batch and may repeat rows of the one before, so that no part has another shape. Whenever run throws
/// OutOfDeviceMemory, `part` is halved for this batch and all later ones, and that part is tried again.
/// @param part  1 to batch
/// @throws OutOfDeviceMemory from run if one row is too much
void run_in_parts(int batch, int& part, const std::function<void(int first, int part)>& run);

}  // namespace headstart

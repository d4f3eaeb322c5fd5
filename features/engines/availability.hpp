// features/engines/availability.hpp: whether an engine, or a backprop path, can run here.
#pragma once

#include <string>

namespace headstart {

/// Whether something can run here, and with what.
struct Availability {
  bool available = false;
  std::string detail;  ///< version and device, or what is missing
};

}  // namespace headstart

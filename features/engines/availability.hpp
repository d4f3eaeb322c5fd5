// features/engines/availability.hpp: whether an engine, or a backprop path, can run here.
#pragma once

#include <string>

namespace headstart {

struct Availability {
  bool available = false;
  std::string detail;  ///< version and device, or what is missing
};

}  // namespace headstart

// features/engines/batch_parts.cpp
#include "features/engines/batch_parts.hpp"

#include <algorithm>

namespace headstart {

void run_in_parts(int batch, int& part, const std::function<void(int first, int part)>& run) {
  for (int done = 0; done < batch;) {
    const int first = std::min(done, batch - part);
    try {
      run(first, part);
      done = first + part;
    } catch (const OutOfDeviceMemory&) {
      if (part == 1) throw;
      part /= 2;
    }
  }
}

}  // namespace headstart

// features/engines/self_check_expected.hpp: Keras's values for the self-check's image with the embedded
// weights.
#pragma once

#include <array>
#include <cstdint>

namespace headstart {

/// One tap: the norm of the whole row, the share of its values that aren't zero, and some of its values.
struct ExpectedActivations {
  double norm;
  double nonzero_share;
  std::array<std::int32_t, 32> indices;  ///< into [h, w, c]
  std::array<float, 32> values;
};

/// block1_pool ... block5_pool.
extern const std::array<ExpectedActivations, 5> kSelfCheckExpected;

}  // namespace headstart

// pipeline/process/product_speed.hpp: the speed of this machine against the one that estimates of training
// are made for, from a short product now.
#pragma once

namespace headstart {

/// How many times faster one thread multiplies than kDenseFlops says (head/layers/solver.hpp), while all
/// threads do. Takes some milliseconds.
/// @param threads  0: all that the process may use
[[nodiscard]] double speed_of_a_thread(int threads);

}  // namespace headstart

// head/openblas.hpp: makes OpenBLAS fit for callers that are many threads.
#pragma once

namespace headstart {

/// Keeps OpenBLAS on the thread of its caller, also where it was built with threads of its own. Call before
/// each use of OpenBLAS; only the first call does something.
void use_one_openblas_thread() noexcept;

}  // namespace headstart

// pipeline/shared_work_mpi.hpp: SharedWork over MPI, as processes_mpi.cpp hands it out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "pipeline/shared_work.hpp"

namespace headstart {

/// Every process of MPI_COMM_WORLD calls it with the same `items`; MPI has to be initialised with
/// MPI_THREAD_SERIALIZED, and is called from other threads until finish() returns.
/// @param on_loss  called by finish() with the ranks that are lost, if any: no collective call, MPI_Finalize
/// included, would return any more
[[nodiscard]] std::unique_ptr<SharedWork> share_work_over_mpi(
    std::uint64_t items, std::function<void(std::span<const int> lost)> on_loss);

}  // namespace headstart

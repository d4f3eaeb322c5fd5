// pipeline/process/shared_work_mpi.hpp: SharedWork over MPI, for processes_mpi.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "pipeline/process/shared_work.hpp"

namespace headstart {

/// Every process of MPI_COMM_WORLD calls it with the same `items`. MPI must be initialised with
/// MPI_THREAD_SERIALIZED. Other threads call MPI until finish() returns.
/// @param on_loss  called by finish() with the lost ranks, if any. From then on no collective call returns,
/// MPI_Finalize included.
[[nodiscard]] std::unique_ptr<SharedWork> share_work_over_mpi(
    std::uint64_t items, std::function<void(std::span<const int> lost)> on_loss);

}  // namespace headstart

// pipeline/mpi_error.hpp: an MPI error code becomes an exception.
#pragma once

namespace headstart {

/// @param code  what the MPI function `what` returned
/// @throws std::runtime_error with MPI's own text, unless it is MPI_SUCCESS
void check_mpi(int code, const char* what);

}  // namespace headstart

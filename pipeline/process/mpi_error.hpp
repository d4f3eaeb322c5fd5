// pipeline/process/mpi_error.hpp: turns an MPI error code into an exception.
#pragma once

namespace headstart {

/// @param code  the return value of the MPI function `what`
/// @throws std::runtime_error with MPI's own text, unless it is MPI_SUCCESS
void check_mpi(int code, const char* what);

}  // namespace headstart

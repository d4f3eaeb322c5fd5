// pipeline/process/mpi_error.cpp
#include "pipeline/process/mpi_error.hpp"

#define OMPI_SKIP_MPICXX 1  // see processes_mpi.cpp
#include <mpi.h>

#include <array>
#include <stdexcept>
#include <string>

namespace headstart {

void check_mpi(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  throw std::runtime_error(std::string(what) + " failed: " + text.data());
}

}  // namespace headstart

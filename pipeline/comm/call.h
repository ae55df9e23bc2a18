#pragma once
#include <mpi.h>

#include <stdexcept>
#include <string>

namespace chainrule::pipeline::comm {

/// Checks one MPI call. With MPI_ERRORS_ARE_FATAL a failure ends the job before it returns; this is the second line.
inline void check_mpi(int result, const char* call) {
  if (result != MPI_SUCCESS) throw std::runtime_error(std::string(call) + " failed");
}

}  // namespace chainrule::pipeline::comm

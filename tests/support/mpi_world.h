#pragma once
#include "pipeline/comm/communicator.h"

namespace chainrule::tests {

/// The communicator of all ranks of an MPI test program (see mpi_main.cpp).
const pipeline::comm::Communicator& world();

}  // namespace chainrule::tests

#pragma once
#include <mpi.h>

#include <optional>
#include <stop_token>

#include "pipeline/comm/communicator.h"

namespace chainrule::pipeline::comm {

/// The one owner of an MPI communicator handle, a duplicate of the one it is made from.
struct Communicator::State {
  explicit State(MPI_Comm of);
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State();

  MPI_Comm handle = MPI_COMM_NULL;
  int rank = 0;
  int size = 1;
  std::optional<std::stop_token> beside_computation;  // waits of collective calls sleep, until this is stopped
};

}  // namespace chainrule::pipeline::comm

#pragma once
#include "pipeline/comm/communicator.h"

namespace chainrule::pipeline {

/// Sets and returns the number of OpenMP threads of this rank, the same on every rank: `asked` where positive, else
/// OMP_NUM_THREADS, else the cores this rank may run on shared with the ranks of its host that may run on the same
/// ones (the smallest such share of any rank). Collective.
int use_threads(const Communicator& communicator, int asked);

/// The same for a command that works in one process: `asked` where positive, else what OpenMP takes by itself
/// (OMP_NUM_THREADS, else every core this process may run on).
void use_threads_alone(int asked);

}  // namespace chainrule::pipeline

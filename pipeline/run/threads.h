#pragma once
#include <string>

#include "pipeline/comm/communicator.h"

namespace chainrule::pipeline::run {

/// Sets and returns the number of OpenMP threads of this rank, the same on every rank: `asked` where positive, else
/// OMP_NUM_THREADS, else the physical cores this rank may run on shared with the ranks of its host that may run on the
/// same ones (the smallest such share of any rank). Says on standard error where threads obviously take turns on cores.
/// Collective.
int use_threads(const comm::Communicator& communicator, int asked);

/// What is obviously wrong when `ranks` ranks of `threads` threads may run on the same `cores` of a host that has
/// host_cores; empty where nothing is. Where a core runs several threads at once, each of these counts as one here.
std::string binding_advice(int ranks, int threads, int cores, int host_cores);

/// The same for a command that works in one process: `asked` where positive, else what OpenMP takes by itself
/// (OMP_NUM_THREADS, else every core this process may run on).
void use_threads_alone(int asked);

}  // namespace chainrule::pipeline::run

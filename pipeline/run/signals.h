#pragma once

namespace chainrule::pipeline::run {

/// From now on USR1, USR2 and TERM ask this process to stop at the next good moment instead of ending it. To be called
/// before there are other threads and before MPI starts: they inherit that these signals wait.
void catch_stop_signals();

/// Whether one of them has come.
bool stop_requested();

}  // namespace chainrule::pipeline::run

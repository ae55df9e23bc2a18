#pragma once

namespace chainrule::pipeline::run {

/// From now on USR1 and TERM ask this process to stop at the next good moment instead of ending it. To be called before
/// MPI starts, so that a launcher finds the handlers in place.
void catch_stop_signals();

/// Whether one of them has come.
bool stop_requested();

}  // namespace chainrule::pipeline::run

#pragma once

namespace chainrule::pipeline::run {

/// Makes this process one in which failures can be told: a file that outgrows its limit (ulimit -f) becomes a failed
/// write instead of a signal. Throws RankError usage where the environment asks for more threads than most_threads().
/// To be called before threads and MPI start.
void prepare_process();

/// Threads that a rank may have at the most: four for each of its host's logical processors, at least 64. Beyond that a
/// number was mistyped, and the threads' stacks alone could fill the memory.
int most_threads();

}  // namespace chainrule::pipeline::run

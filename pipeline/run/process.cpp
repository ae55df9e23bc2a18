#include "pipeline/run/process.h"

#include <fmt/format.h>
#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "pipeline/failure/error.h"

namespace chainrule::pipeline::run {

void prepare_process() {
  std::signal(SIGXFSZ, SIG_IGN);
  const int threads = omp_get_max_threads();      // OMP_NUM_THREADS as OpenMP read it
  if (threads < 1 || threads > most_threads()) {  // what does not fit an int wraps around
    throw failure::RankError(
        failure::ExitCode::usage,
        fmt::format("OMP_NUM_THREADS asks for '{}' threads; this host has {} logical processors, and "
                    "{} threads are the most that are started on it",
                    std::getenv("OMP_NUM_THREADS"), static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)), most_threads()));
  }
}

int most_threads() { return std::max(64, 4 * static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN))); }

}  // namespace chainrule::pipeline::run

#include "pipeline/run/threads.h"

#include <fmt/format.h>
#include <omp.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/comm/agreement.h"
#include "pipeline/failure/error.h"
#include "pipeline/run/cores.h"
#include "pipeline/run/process.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::run {
namespace {

void check_threads(int asked) {
  if (asked <= most_threads()) return;
  throw failure::Error(failure::ExitCode::usage,
                       fmt::format("--threads must be at most {} on this host, not {}", most_threads(), asked));
}

/// Ranks that may run on the same cores as this one, itself included.
int ranks_sharing(const comm::Communicator& communicator, const Cores& cores) {
  utsname system{};
  ::uname(&system);
  const std::string place = fmt::format("{} of {}", cores.which, system.nodename);
  const auto mine = std::as_bytes(std::span(place));
  int sharing = 0;
  for (const auto& bytes : communicator.all_gather(mine)) {
    sharing += std::equal(bytes.begin(), bytes.end(), mine.begin(), mine.end()) ? 1 : 0;
  }
  return std::max(1, sharing);
}

/// Rank 0 says what the first rank with something to say has to say.
void say_first(const comm::Communicator& communicator, const std::string& advice) {
  for (const auto& bytes : communicator.gather(std::as_bytes(std::span(advice)))) {
    if (bytes.empty()) continue;
    warn(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    return;
  }
}

}  // namespace

int use_threads(const comm::Communicator& communicator, int asked) {
  const char* environment = std::getenv("OMP_NUM_THREADS");
  const bool from_environment = environment != nullptr && environment[0] != '\0';
  // Every rank goes through the collective calls, whatever its own environment says.
  Cores here;
  comm::agree(communicator, [&] { here = cores_of_this_process(); });
  const int sharing = ranks_sharing(communicator, here);
  const int share = std::max(1, here.cores / sharing);
  const int wanted = asked > 0 ? asked : from_environment ? omp_get_max_threads() : share;
  comm::agree(communicator, [&] { check_threads(asked); });
  const int threads = static_cast<int>(communicator.minimum(wanted));
  omp_set_num_threads(threads);
  if (const auto most = communicator.maximum(wanted); most != threads && communicator.rank() == 0) {
    warn(fmt::format("ranks have {} to {} threads, by their cores or OMP_NUM_THREADS; all use {}", threads, most,
                     threads));
  }
  say_first(communicator, binding_advice(sharing, threads, here.hardware_threads, here.host_hardware_threads));
  return threads;
}

std::string binding_advice(int ranks, int threads, int cores, int host_cores) {
  if (ranks * threads <= cores) return "";
  const std::string who =
      fmt::format("{} rank{} of {} thread{}", ranks, ranks == 1 ? "" : "s", threads, threads == 1 ? "" : "s");
  if (ranks * threads <= host_cores) {
    return fmt::format(
        "{} may run on {} of the host's {} cores only and take turns there; launch with mpirun --map-by slot:PE={} or "
        "--bind-to none (srun: --cpus-per-task={})",
        who, cores, host_cores, threads, threads);
  }
  return fmt::format("{} take turns on {} core{}; fewer ranks or threads (--threads, OMP_NUM_THREADS) are faster", who,
                     cores, cores == 1 ? "" : "s");
}

void use_threads_alone(int asked) {
  check_threads(asked);
  if (asked > 0) omp_set_num_threads(asked);
}

}  // namespace chainrule::pipeline::run

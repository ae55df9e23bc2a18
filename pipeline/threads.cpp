#include "pipeline/threads.h"

#include <omp.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>
#include <vector>

namespace chainrule::pipeline {
namespace {

/// A host and the cores of it that a rank may run on.
struct Place {
  std::array<char, 256> host{};
  cpu_set_t cores{};
};

int share_of_cores(const Communicator& communicator) {
  Place here;
  ::gethostname(here.host.data(), here.host.size() - 1);
  if (::sched_getaffinity(0, sizeof here.cores, &here.cores) != 0) return 1;
  int sharing = 0;
  for (const auto& bytes : communicator.all_gather(std::as_bytes(std::span(&here, 1)))) {
    const auto mine = std::as_bytes(std::span(&here, 1));
    sharing += std::equal(bytes.begin(), bytes.end(), mine.begin(), mine.end()) ? 1 : 0;
  }
  return std::max(1, CPU_COUNT(&here.cores) / std::max(1, sharing));
}

}  // namespace

int use_threads(const Communicator& communicator, int asked) {
  const char* environment = std::getenv("OMP_NUM_THREADS");
  const bool from_environment = environment != nullptr && environment[0] != '\0';
  // Every rank goes through the collective calls, whatever its own environment says.
  const int share = share_of_cores(communicator);
  const int wanted = asked > 0 ? asked : from_environment ? omp_get_max_threads() : share;
  const int threads = static_cast<int>(communicator.minimum(wanted));
  omp_set_num_threads(threads);
  return threads;
}

void use_threads_alone(int asked) {
  if (asked > 0) omp_set_num_threads(asked);
}

}  // namespace chainrule::pipeline

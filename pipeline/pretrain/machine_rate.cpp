#include "pipeline/pretrain/machine_rate.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "pipeline/measure/peak/machine_peak.h"

namespace chainrule::pipeline::pretrain {

double peak_tokens_per_second(const comm::Communicator& communicator, const model::shape::Config& config) {
  constexpr int kRounds = 3;
  constexpr double kSeconds = 0.02;
  double best = 0;  // what disturbs a round only makes it slower
  communicator.barrier();
  for (int round = 0; round < kRounds; ++round) best = std::max(best, measure::peak::measure_peak_flops(kSeconds));
  std::array<std::int64_t, 1> flops = {static_cast<std::int64_t>(best)};
  communicator.sum(flops);
  // Backward takes twice what forward does.
  return static_cast<double>(flops[0]) / (3 * model::shape::forward_flops_per_token(config, config.sequence_length));
}

}  // namespace chainrule::pipeline::pretrain

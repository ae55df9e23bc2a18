#include "pipeline/pretrain/machine_rate.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "pipeline/measure/peak/machine_peak.h"

namespace chainrule::pipeline::pretrain {

double peak_tokens_per_second(const comm::Communicator& communicator, const model::shape::Config& config) {
  // Rounds are shorter than a scheduler's turns: what disturbs the machine slows some of them and leaves others alone.
  // Not the fastest one either, which another rank, as it comes late or is done, may have left a whole core to.
  constexpr std::size_t kRounds = 32;
  constexpr double kSeconds = 0.002;
  std::vector<double> rates(kRounds);
  communicator.barrier();
  for (double& rate : rates) rate = measure::peak::measure_peak_flops(kSeconds);
  const auto upper_quartile = rates.begin() + kRounds * 3 / 4;
  std::nth_element(rates.begin(), upper_quartile, rates.end());
  std::array<std::int64_t, 1> flops = {static_cast<std::int64_t>(*upper_quartile)};
  communicator.sum(flops);
  // Backward takes twice what forward does.
  return static_cast<double>(flops[0]) / (3 * model::shape::forward_flops_per_token(config, config.sequence_length));
}

}  // namespace chainrule::pipeline::pretrain

#pragma once
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace chainrule::pipeline::pretrain::exchange {

/// One "gradient" a micro-batch: floats of very different sizes, so that any other order of addition shows in the bits.
inline std::vector<float> micro_batch_values(std::int64_t micro_batches, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> draw;
  std::vector<float> values;
  for (std::int64_t i = 0; i < micro_batches; ++i) values.push_back(draw(random) * std::exp2(draw(random) * 6));
  return values;
}

}  // namespace chainrule::pipeline::pretrain::exchange

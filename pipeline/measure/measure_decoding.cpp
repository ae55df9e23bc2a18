#include <algorithm>

#include "pipeline/measure/decode_speed.h"
#include "pipeline/measure/measures.h"

namespace chainrule::pipeline::measure {

void measure_decoding(const BenchmarkOptions& options, BenchmarkResult& result) {
  constexpr std::int64_t kMostSteps = 16;
  const std::int64_t length = options.config.sequence_length;
  const std::int64_t steps = std::min(kMostSteps, std::max<std::int64_t>(1, length / 4));
  // Behind a long prompt a step also reads keys and values, which the bound does not count.
  constexpr std::int64_t kMostPromptTokens = 512;
  const std::int64_t prompt_tokens = std::clamp<std::int64_t>(length - steps - 1, 1, kMostPromptTokens);
  const auto ops = model::ops::make_fast_ops(options.math);
  result.decode = measure_decode_speed(options.config, *ops, 1, prompt_tokens, steps);
}

}  // namespace chainrule::pipeline::measure

#include "pipeline/watch/curves/metrics_line.h"

#include "tests/fuzz/target.h"

/// What is taken can be drawn: steps and tokens are counts that a double holds.
FUZZ_TARGET(metrics_line) {
  const auto line = chainrule::pipeline::watch::curves::parse_metrics_line(bytes, "'fuzz', line 1");
  chainrule::fuzz::require(line.step >= 1 && line.step <= (std::int64_t{1} << 53), "a step is a count");
  chainrule::fuzz::require(line.tokens >= 0, "tokens are a count");
}

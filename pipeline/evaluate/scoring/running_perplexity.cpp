#include "pipeline/evaluate/scoring/running_perplexity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace chainrule::pipeline::evaluate::scoring {

void RunningPerplexity::add(const journal::UnitResult& result) {
  double nats = 0;
  double tokens = 0;
  for (const double each : result.nll) {
    if (!std::isfinite(each)) continue;
    nats += each;
    ++tokens;
  }
  ++units_;
  nats_ += nats;
  tokens_ += tokens;
  nats_squared_ += nats * nats;
  tokens_squared_ += tokens * tokens;
  products_ += nats * tokens;
}

std::string RunningPerplexity::text() const {
  if (tokens_ == 0) return {};
  const double mean = nats_ / tokens_;
  if (units_ < 2) return fmt::format("perplexity {:.2f}", std::exp(mean));
  // The standard error of a ratio of sums (see EvaluationSummary), its squares multiplied out.
  const double squares = nats_squared_ - 2 * mean * products_ + mean * mean * tokens_squared_;
  const double error = 1.96 * std::sqrt(std::max(0.0, units_ / (units_ - 1) * squares)) / tokens_;
  return fmt::format("perplexity {:.2f} ({:.2f} to {:.2f})", std::exp(mean), std::exp(mean - error),
                     std::exp(mean + error));
}

}  // namespace chainrule::pipeline::evaluate::scoring

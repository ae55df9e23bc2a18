#include "pipeline/evaluate/scoring/running_perplexity.h"

#include <fmt/format.h>

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
  nats_per_token_.add(nats, tokens);
}

std::string RunningPerplexity::text() const {
  const std::optional<double> mean = nats_per_token_.ratio();
  if (!mean) return {};
  const std::optional<double> error = nats_per_token_.standard_error();
  if (!error) return fmt::format("perplexity {:.2f}", std::exp(*mean));
  const double reach = tally::kErrorsOf95Percent * *error;
  return fmt::format("perplexity {:.2f} ({:.2f} to {:.2f})", std::exp(*mean), std::exp(*mean - reach),
                     std::exp(*mean + reach));
}

}  // namespace chainrule::pipeline::evaluate::scoring

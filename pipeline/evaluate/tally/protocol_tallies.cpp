#include "pipeline/evaluate/tally/protocol_tallies.h"

#include <algorithm>
#include <numeric>

namespace chainrule::pipeline::evaluate::tally {

void WindowAverage::add(const ScoredToken& token) {
  sum_.merge(token.nll);
  if (++seen_ < token.window_scored) return;
  if (sum_.nonfinite() != 0) {
    finite_ = false;
  } else {
    const double weight = weight_(token.window, token.window_scored);
    weighted_ += weight * (sum_.nats() / static_cast<double>(token.window_scored));
    weights_ += weight;
  }
  sum_ = {};
  seen_ = 0;
}

std::optional<double> WindowAverage::nats() const {
  if (!finite_ || weights_ == 0) return std::nullopt;
  return weighted_ / weights_;
}

void ContextCounts::add(const ScoredToken& token) {
  const auto context = static_cast<std::size_t>(token.context);
  if (context >= counts_.size()) counts_.resize(context + 1);
  ++counts_[context];
}

std::uint64_t ContextCounts::tokens() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

std::uint64_t ContextCounts::minimum() const {
  const auto first = std::find_if(counts_.begin(), counts_.end(), [](std::uint64_t count) { return count != 0; });
  return first == counts_.end() ? 0 : static_cast<std::uint64_t>(first - counts_.begin());
}

std::uint64_t ContextCounts::median() const {
  const std::uint64_t half = (tokens() + 1) / 2;
  std::uint64_t below = 0;
  for (std::size_t context = 0; context < counts_.size(); ++context) {
    below += counts_[context];
    if (below >= half && below != 0) return context;
  }
  return 0;
}

std::optional<double> ContextCounts::mean() const {
  double sum = 0;
  for (std::size_t context = 0; context < counts_.size(); ++context) {
    sum += static_cast<double>(context) * static_cast<double>(counts_[context]);
  }
  const std::uint64_t count = tokens();
  return count == 0 ? std::nullopt : std::optional(sum / static_cast<double>(count));
}

}  // namespace chainrule::pipeline::evaluate::tally

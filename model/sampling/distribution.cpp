#include "model/sampling/distribution.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace chainrule::model::sampling {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool all_finite(std::span<const float> logits) {
  bool finite = true;
  for (const float logit : logits) finite &= std::isfinite(logit);
  return finite;
}

}  // namespace

Factor factor_of(std::span<const float> logits, std::uint32_t target) {
  Factor factor;
  if (!all_finite(logits)) {
    factor.nll_nats = factor.entropy_nats = factor.likeliest_nll_nats = kNaN;
    return factor;
  }
  const auto largest = std::max_element(logits.begin(), logits.end());
  const double shift = *largest;
  const float target_logit = logits[target];
  double sum = 0;
  double weighted = 0;  // sum of exp(x) x, x the shifted logit
  factor.rank = 1;
  for (const float logit : logits) {
    const double x = logit - shift;
    const double e = std::exp(x);
    sum += e;
    weighted += e * x;
    factor.rank += logit > target_logit ? 1 : 0;
  }
  const double log_sum = std::log(sum);
  factor.nll_nats = log_sum - (target_logit - shift);
  factor.entropy_nats = log_sum - weighted / sum;
  factor.likeliest = static_cast<std::uint32_t>(largest - logits.begin());
  factor.likeliest_nll_nats = log_sum;
  return factor;
}

std::vector<double> log_probabilities(std::span<const float> logits, double temperature) {
  std::vector<double> values(logits.size(), kNaN);
  if (!all_finite(logits)) return values;
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = (logits[i] - largest) / temperature;
    sum += std::exp(values[i]);
  }
  const double log_sum = std::log(sum);
  for (double& value : values) value -= log_sum;
  return values;
}

std::vector<std::uint32_t> largest_of(std::span<const double> values, std::int64_t count) {
  std::vector<std::uint32_t> ids(values.size());
  std::iota(ids.begin(), ids.end(), 0U);
  const auto kept = std::min(ids.size(), static_cast<std::size_t>(std::max<std::int64_t>(count, 0)));
  std::partial_sort(
      ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(kept), ids.end(),
      [&](std::uint32_t a, std::uint32_t b) { return values[a] != values[b] ? values[a] > values[b] : a < b; });
  ids.resize(kept);
  return ids;
}

double entropy_nats(std::span<const double> log_probabilities) {
  double entropy = 0;
  for (const double value : log_probabilities) {
    const double p = std::exp(value);
    if (p > 0) entropy -= p * value;
  }
  return entropy;
}

}  // namespace chainrule::model::sampling

#include "pipeline/evaluate/report/baseline_result.h"

#include <cmath>

#include "pipeline/evaluate/tally/baseline_tallies.h"

namespace chainrule::pipeline::evaluate::report {
namespace {

BaselineResult::Measure measure_of(const tally::TokenMean& mean) {
  return {mean.mean(), mean.standard_error(), mean.independent_standard_error()};
}

/// The root of a measure, and by its derivative the root's errors.
BaselineResult::Measure root_of(const BaselineResult::Measure& square) {
  if (!square.value) return {};
  const double root = std::sqrt(*square.value);
  const auto error = [root](const std::optional<double>& of_square) {
    if (!of_square || root == 0) return of_square;  // of equal models: 0
    return std::optional(*of_square / (2 * root));
  };
  return {root, error(square.standard_error), error(square.independent_standard_error)};
}

std::optional<double> exponential_of(const std::optional<double>& nats) {
  return nats && std::isfinite(std::exp(*nats)) ? std::optional(std::exp(*nats)) : std::nullopt;
}

std::vector<BaselineResult::Quantile> quantiles_of(tally::BaselineTallies& tallies) {
  const std::vector<double> fractions = {0, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1};
  const std::vector<double> kl = tallies.kl_values.at(fractions);
  const std::vector<double> change = tallies.change_values.at(fractions);
  std::vector<BaselineResult::Quantile> quantiles;
  for (std::size_t i = 0; i < kl.size(); ++i) quantiles.push_back({fractions[i], kl[i], change[i]});
  return quantiles;
}

}  // namespace

BaselineResult make_baseline_result(const BaselineModel& model, tally::BaselineTallies& tallies) {
  BaselineResult result;
  result.model = model;
  result.tokens_scored = tallies.tokens();
  result.nonfinite_tokens = tallies.nonfinite();
  if (result.nonfinite_tokens != 0) return result;
  result.kl_nats = measure_of(tallies.kl);
  result.same_top = measure_of(tallies.same_top);
  result.cross_entropy_nats = measure_of(tallies.baseline_nats);
  result.perplexity = exponential_of(result.cross_entropy_nats.value);
  result.log_perplexity_ratio = measure_of(tallies.nats_more);
  result.perplexity_ratio = exponential_of(result.log_perplexity_ratio.value);
  result.correlation = tallies.correlation();
  result.probability_change = measure_of(tallies.change);
  result.probability_change_rms = root_of(measure_of(tallies.squared_change));
  result.quantiles = quantiles_of(tallies);
  return result;
}

}  // namespace chainrule::pipeline::evaluate::report

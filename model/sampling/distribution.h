#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace chainrule::model::sampling {

/// What a row of logits says of the token that came: one factor of the chain rule.
struct Factor {
  double nll_nats = 0;      ///< -log p(token)
  double entropy_nats = 0;  ///< of the whole distribution
  std::int64_t rank = 0;    ///< 1 + the number of likelier tokens
  std::uint32_t likeliest = 0;
  double likeliest_nll_nats = 0;
};

/// The factor of target (below logits.size()); its numbers are NaN where a logit is not finite.
Factor factor_of(std::span<const float> logits, std::uint32_t target);

/// log p of every token at a temperature above 0, in nats: logits / temperature - log_sum_exp.
std::vector<double> log_probabilities(std::span<const float> logits, double temperature);

/// Ids of the `count` largest values, largest first, lowest id first among equals.
std::vector<std::uint32_t> largest_of(std::span<const double> values, std::int64_t count);

/// -sum p log p in nats.
double entropy_nats(std::span<const double> log_probabilities);

}  // namespace chainrule::model::sampling

#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chainrule::pipeline::evaluate::tally {
class BaselineTallies;
}

namespace chainrule::pipeline::evaluate::report {

/// What the model is compared with.
struct BaselineModel {
  std::string weights_hash;
  std::int64_t step = 0;
  bool operator==(const BaselineModel&) const = default;
};

/// How far the predictions of a model (P) are from those of a baseline (B), over scored tokens with a finite result of
/// both. Measures are empty where any token has none, as in EvaluationSummary.
struct BaselineResult {
  /// A number and its standard errors: clustered by document, and as if tokens were independent.
  struct Measure {
    std::optional<double> value;
    std::optional<double> standard_error;
    std::optional<double> independent_standard_error;
  };
  /// The value below which that fraction of the tokens lies: see tally::ExactQuantiles.
  struct Quantile {
    double fraction = 0;
    double kl_nats = 0;
    double probability_change = 0;
  };

  BaselineModel model;
  std::uint64_t tokens_scored = 0;
  std::uint64_t nonfinite_tokens = 0;
  Measure kl_nats;                         ///< mean KL(B || P) over the whole vocabulary
  Measure same_top;                        ///< share of the tokens in which both have the same likeliest token
  Measure cross_entropy_nats;              ///< the baseline's
  std::optional<double> perplexity;        ///< the baseline's
  Measure log_perplexity_ratio;            ///< ln of the model's perplexity over the baseline's
  std::optional<double> perplexity_ratio;  ///< its exponential
  std::optional<double> correlation;       ///< Pearson's, of the tokens' nats under both
  Measure probability_change;              ///< mean of p - b, the probabilities of the token itself
  Measure probability_change_rms;          ///< root of the mean of its square
  std::vector<Quantile> quantiles;         ///< by fraction
};

BaselineResult make_baseline_result(const BaselineModel& model, tally::BaselineTallies& tallies);

}  // namespace chainrule::pipeline::evaluate::report

#pragma once
#include <string>

#include "pipeline/evaluate/journal/unit_result.h"
#include "pipeline/evaluate/tally/ratio_of_sums.h"

namespace chainrule::pipeline::evaluate::scoring {

/// The perplexity of the units so far and its 95 % interval, for whoever watches. Units stand for the clusters: what
/// the report says is clustered by document.
class RunningPerplexity {
 public:
  void add(const journal::UnitResult& result);
  /// "perplexity 12.31 (11.90 to 12.74)"; empty for none.
  std::string text() const;

 private:
  tally::RatioOfSums nats_per_token_;
};

}  // namespace chainrule::pipeline::evaluate::scoring

#pragma once
#include <string>

#include "pipeline/evaluate/journal/unit_result.h"

namespace chainrule::pipeline::evaluate::scoring {

/// The perplexity of the units so far and its 95 % interval, for whoever watches. Units stand for the clusters: what
/// the report says is clustered by document.
class RunningPerplexity {
 public:
  void add(const journal::UnitResult& result);
  /// "perplexity 12.31 (11.90 to 12.74)"; empty for none.
  std::string text() const;

 private:
  double units_ = 0;
  double tokens_ = 0;
  double nats_ = 0;
  double nats_squared_ = 0;  // sums over units
  double tokens_squared_ = 0;
  double products_ = 0;
};

}  // namespace chainrule::pipeline::evaluate::scoring

#pragma once
#include "pipeline/evaluate/tally/scored_token.h"

namespace chainrule::pipeline::evaluate::tally {

/// What sums up scored tokens by one of their properties. It is given every token of an evaluation once, in the order
/// of windows, by one process: results depend on nothing else.
class TokenSink {
 public:
  virtual ~TokenSink() = default;
  virtual void add(const ScoredToken& token) = 0;
};

}  // namespace chainrule::pipeline::evaluate::tally

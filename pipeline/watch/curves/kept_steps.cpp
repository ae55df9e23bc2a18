#include "pipeline/watch/curves/kept_steps.h"

namespace chainrule::pipeline::watch::curves {

bool KeptSteps::add(std::int64_t line, std::int64_t step) {
  const bool returned = step <= last_step_;
  last_step_ = step;
  if (!returned) return false;
  // A return to an earlier step voids all that one to a later step voided, and more.
  while (!returns_.empty() && returns_.back().step >= step) returns_.pop_back();
  returns_.push_back({line, step});
  return true;
}

bool KeptSteps::holds(std::int64_t line, std::int64_t step) {
  while (next_ < returns_.size() && returns_[next_].line <= line) ++next_;
  return next_ == returns_.size() || step < returns_[next_].step;
}

}  // namespace chainrule::pipeline::watch::curves

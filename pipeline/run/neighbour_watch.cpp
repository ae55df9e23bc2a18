#include "pipeline/run/neighbour_watch.h"

#include <fmt/format.h>

#include <algorithm>

namespace chainrule::pipeline::run {

void NeighbourWatch::saw(const SignOfLife& sign) {
  ended_ = sign.count == SignOfLife::kEndedWell;
  ends_job_ = sign.count == SignOfLife::kEndsJob;
  if (ended_ || ends_job_) return;
  const bool comes_on = sign.activity.advances != last_.activity.advances;
  if (comes_on && last_.activity.phase == Activity::Phase::step) {
    longest_still_ = std::max(longest_still_, still_looks_);
  }
  if (comes_on || sign.waits != 0) still_looks_ = 0;
  last_ = sign;
  silent_looks_ = 0;
}

std::string NeighbourWatch::look() {
  if (ended_) return "";
  if (++silent_looks_ >= silence_) return "gives no sign of life";
  ++still_looks_;
  // A first step builds what later ones use: nothing is known before it.
  if (last_.waits != 0 || longest_still_ == 0) return "";
  constexpr std::int64_t kForFiles = 15;  // file systems stand still for minutes and come back
  const std::int64_t limit = std::max(silence_, 10 * longest_still_);
  const Activity::Phase phase = last_.activity.phase;
  if (phase == Activity::Phase::step && still_looks_ >= limit) return "does not come on";
  const bool in_files = phase == Activity::Phase::reading || phase == Activity::Phase::files;
  if (in_files && still_looks_ >= kForFiles * limit) return "does not come on";
  return "";
}

}  // namespace chainrule::pipeline::run

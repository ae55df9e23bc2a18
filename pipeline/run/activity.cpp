#include "pipeline/run/activity.h"

#include <atomic>

namespace chainrule::pipeline::run {
namespace {

std::atomic<Activity::Phase> phase_now = Activity::Phase::start;
std::atomic<std::int64_t> step_now = 0;
std::atomic<std::int64_t> advances = 0;

}  // namespace

void Activity::enter(Phase phase, std::int64_t step) {
  phase_now = phase;
  step_now = step;
  ++advances;
}

void Activity::advance() { ++advances; }

Activity::During::During(Phase phase) : before_(phase_now.exchange(phase)) {}
Activity::During::~During() {
  phase_now = before_;
  ++advances;
}

Activity::Seen Activity::now() { return {.phase = phase_now, .step = step_now, .advances = advances}; }

const char* name_of(Activity::Phase phase) {
  switch (phase) {
    case Activity::Phase::start: return "preparing";
    case Activity::Phase::step: return "taking a step";
    case Activity::Phase::reading: return "reading samples";
    case Activity::Phase::files: return "using files of the run";
    case Activity::Phase::validation: return "validating";
    case Activity::Phase::saving: return "saving a checkpoint";
    case Activity::Phase::checkpoint: return "reading a checkpoint";
    case Activity::Phase::evaluation: return "evaluating";
    case Activity::Phase::end: return "ending";
  }
  return "";
}

}  // namespace chainrule::pipeline::run

#include "pipeline/pretrain/step/step_outcome.h"

#include <fmt/format.h>

#include "pipeline/failure/error.h"

namespace chainrule::pipeline::pretrain::step {

std::string describe_failure(const StepOutcome& outcome) {
  switch (outcome.status) {
    case StepStatus::updated: return "";
    case StepStatus::nonfinite_loss:
      return fmt::format("the loss of {} of {} tokens is not finite", outcome.nonfinite_tokens,
                         outcome.nonfinite_tokens + outcome.tokens);
    case StepStatus::nonfinite_gradient: return "the gradient's norm is not finite";
  }
  return "";
}

void require_updated(const StepOutcome& outcome) {
  if (outcome.status == StepStatus::updated) return;
  throw failure::AgreedError(
      failure::ExitCode::bad_data,
      fmt::format("step {}: {}; the weights were not updated, and earlier checkpoints are intact", outcome.step,
                  describe_failure(outcome)));
}

}  // namespace chainrule::pipeline::pretrain::step

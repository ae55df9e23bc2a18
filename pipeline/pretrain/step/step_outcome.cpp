#include "pipeline/pretrain/step/step_outcome.h"

#include <fmt/format.h>

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

}  // namespace chainrule::pipeline::pretrain::step

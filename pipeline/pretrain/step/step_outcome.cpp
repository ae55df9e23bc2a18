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
    case StepStatus::outlier_loss:
      return fmt::format("the loss {:.4g} is an outlier among the last steps, above {:.4g}", outcome.loss_nats,
                         outcome.outlier_limit);
    case StepStatus::outlier_gradient:
      return fmt::format("the gradient's norm {:.4g} is an outlier among the last steps, above {:.4g}",
                         outcome.gradient_norm, outcome.outlier_limit);
  }
  return "";
}

}  // namespace chainrule::pipeline::pretrain::step

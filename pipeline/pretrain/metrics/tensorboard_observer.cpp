#include "pipeline/pretrain/metrics/tensorboard_observer.h"

namespace chainrule::pipeline::pretrain::metrics {

void TensorboardObserver::step_taken(const StepRecord& record) {
  io::tensorboard::Scalars scalars = {
      {"loss", record.loss_nats}, {"tokens_per_second", static_cast<double>(record.step_tokens) / record.step_seconds}};
  if (record.skipped.empty()) {
    scalars.emplace_back("learning_rate", record.learning_rate);
    scalars.emplace_back("gradient_norm", record.gradient_norm);
  }
  if (record.validation_loss_nats) scalars.emplace_back("validation_loss", *record.validation_loss_nats);
  file_.add(record.step, scalars);
}

}  // namespace chainrule::pipeline::pretrain::metrics

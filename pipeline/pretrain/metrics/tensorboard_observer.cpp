#include "pipeline/pretrain/metrics/tensorboard_observer.h"

namespace chainrule::pipeline::pretrain::metrics {

void TensorboardObserver::step_taken(const StepRecord& record) {
  io::tensorboard::Scalars scalars = {{"loss", record.loss_nats}, {"tokens_per_second", tokens_per_second(record)}};
  if (record.skipped.empty()) {
    scalars.emplace_back("learning_rate", record.learning_rate);
    scalars.emplace_back("gradient_norm", record.gradient_norm);
  }
  if (record.validation_loss_nats) scalars.emplace_back("validation_loss", *record.validation_loss_nats);
  for (const auto& [source, loss] : record.source_losses_nats) {
    scalars.emplace_back("validation_loss/" + source, loss);
  }
  if (record.peak_tokens_per_second > 0) {
    scalars.emplace_back("peak_fraction", tokens_per_second(record) / record.peak_tokens_per_second);
  }
  if (record.joules_per_token) scalars.emplace_back("joules_per_token", *record.joules_per_token);
  file_->add(record.step, scalars);
}

}  // namespace chainrule::pipeline::pretrain::metrics

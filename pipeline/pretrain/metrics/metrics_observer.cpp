#include "pipeline/pretrain/metrics/metrics_observer.h"

#include <nlohmann/json.hpp>

#include "io/files/json_text.h"

namespace chainrule::pipeline::pretrain::metrics {

void MetricsObserver::step_taken(const StepRecord& record) {
  nlohmann::ordered_json json;
  json["step"] = record.step;
  json["tokens"] = record.tokens;
  json["samples"] = record.samples;
  json["loss"] = record.loss_nats;
  json["learning_rate"] = record.learning_rate;
  json["gradient_norm"] = record.gradient_norm;
  json["tokens_per_second"] = static_cast<double>(record.step_tokens) / record.step_seconds;
  json["elapsed_seconds"] = record.elapsed_seconds;
  if (record.validation_loss_nats) json["validation_loss"] = *record.validation_loss_nats;  // null where not finite
  for (const auto& [source, loss] : record.source_losses_nats) json["validation_losses"][source] = loss;
  if (!record.skipped.empty()) json["skipped"] = record.skipped;
  if (!record.weights_hash.empty()) json["weights_hash"] = record.weights_hash;
  log_.append(io::files::json_text(json));
}

}  // namespace chainrule::pipeline::pretrain::metrics

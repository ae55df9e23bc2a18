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
  json["tokens_per_second"] = tokens_per_second(record);
  json["elapsed_seconds"] = record.elapsed_seconds;
  if (record.peak_tokens_per_second > 0) {
    json["peak_fraction"] = tokens_per_second(record) / record.peak_tokens_per_second;
  }
  if (record.joules_per_token) json["joules_per_token"] = *record.joules_per_token;
  if (record.slow_rank) {
    json["slowest_rank"] = record.slow_rank->rank;
    json["slowest_host"] = record.slow_rank->host;
    json["slowest_behind"] = record.slow_rank->behind;
  }
  if (record.validation_loss_nats) json["validation_loss"] = *record.validation_loss_nats;  // null where not finite
  for (const auto& [source, loss] : record.source_losses_nats) json["validation_losses"][source] = loss;
  if (!record.skipped.empty()) json["skipped"] = record.skipped;
  if (!record.rolled_back.empty()) json["rolled_back"] = record.rolled_back;
  if (!record.weights_hash.empty()) json["weights_hash"] = record.weights_hash;
  if (record.stop && record.step < record.last_step) json["stopped"] = true;
  log_.append(io::files::json_text(json));
}

}  // namespace chainrule::pipeline::pretrain::metrics

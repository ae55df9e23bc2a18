#pragma once
#include "pipeline/pretrain/metrics/metrics_log.h"
#include "pipeline/pretrain/metrics/step_observer.h"

namespace chainrule::pipeline::pretrain::metrics {

/// A line of metrics.jsonl for each step; on disk before the step's checkpoint, so that a run that is resumed has the
/// lines of all its steps.
class MetricsObserver final : public StepObserver {
 public:
  /// As MetricsLog.
  MetricsObserver(const std::filesystem::path& path, std::int64_t last_step, std::int64_t first_step = 1)
      : log_(path, last_step, first_step) {}

  /// Throw io::Error.
  void step_taken(const StepRecord& record) override;
  void checkpoint_begins() override { log_.sync(); }
  void rolled_back(const Rollback& rollback) override { log_.cut(rollback.to_step); }

 private:
  MetricsLog log_;
};

}  // namespace chainrule::pipeline::pretrain::metrics

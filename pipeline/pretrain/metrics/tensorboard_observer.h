#pragma once
#include <cstdint>
#include <filesystem>

#include "io/tensorboard/event_file.h"
#include "pipeline/pretrain/metrics/step_observer.h"

namespace chainrule::pipeline::pretrain::metrics {

/// The scalars of each step for TensorBoard, under the names that metrics.jsonl has for them.
class TensorboardObserver final : public StepObserver {
 public:
  /// As io::tensorboard::EventFile. last_step: the one that the run goes on from, 0 at its start.
  TensorboardObserver(const std::filesystem::path& folder, std::int64_t last_step) : file_(folder, last_step + 1) {}

  /// Throws io::Error.
  void step_taken(const StepRecord& record) override;

 private:
  io::tensorboard::EventFile file_;
};

}  // namespace chainrule::pipeline::pretrain::metrics

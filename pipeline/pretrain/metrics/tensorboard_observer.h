#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <utility>

#include "io/tensorboard/event_file.h"
#include "pipeline/pretrain/metrics/step_observer.h"

namespace chainrule::pipeline::pretrain::metrics {

/// The scalars of each step for TensorBoard, under the names that metrics.jsonl has for them.
class TensorboardObserver final : public StepObserver {
 public:
  /// As io::tensorboard::EventFile. last_step: the one that the run goes on from, 0 at its start.
  TensorboardObserver(std::filesystem::path folder, std::int64_t last_step) : folder_(std::move(folder)) {
    file_.emplace(folder_, last_step + 1);
  }

  /// Throw io::Error.
  void step_taken(const StepRecord& record) override;
  void rolled_back(const Rollback& rollback) override { file_.emplace(folder_, rollback.to_step + 1); }

 private:
  std::filesystem::path folder_;
  std::optional<io::tensorboard::EventFile> file_;
};

}  // namespace chainrule::pipeline::pretrain::metrics

#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/job/whereabouts.h"
#include "pipeline/pretrain/inputs.h"
#include "pipeline/pretrain/options.h"

namespace chainrule::pipeline::pretrain {

/// What a run will take, before it is begun.
struct PretrainPlan {
  std::int64_t parameters = 0;
  std::int64_t lanes = 0;
  std::int64_t steps_before = 0;       ///< that are taken: those of a branch's trunk
  std::int64_t first_step_tokens = 0;  ///< of the next step, and of the last: more where batches grow
  std::int64_t last_step_tokens = 0;
  std::int64_t tokens = 0;            ///< of the steps to take
  std::uint64_t training_tokens = 0;  ///< in the data set
  double epochs = 0;                  ///< with the steps before
  double flops = 0;                   ///< model FLOPs of the steps to take: 6 N + 6 L T C a token
  // Bytes on the rank that needs the most.
  std::int64_t parameter_bytes = 0;
  std::int64_t gradient_bytes = 0;  ///< of its lanes or its slices, and room for those from other ranks
  std::int64_t optimizer_bytes = 0;
  std::int64_t average_bytes = 0;  ///< of the weights, where one is kept
  std::int64_t activation_bytes = 0;
  std::int64_t copy_bytes = 0;  ///< of what is saved beside the steps
  std::int64_t bytes() const {
    return parameter_bytes + gradient_bytes + optimizer_bytes + average_bytes + activation_bytes + copy_bytes;
  }
};

/// Of the steps behind so many. options.lanes is the number that it has.
PretrainPlan plan_pretraining(const PretrainOptions& options, const PretrainInputs& inputs, std::int64_t steps_before,
                              int ranks);

/// The bytes of a rank, by what they are for.
std::vector<job::Need> memory_needs(const PretrainPlan& plan);

/// For people, several lines.
std::string to_text(const PretrainPlan& plan, int ranks);

}  // namespace chainrule::pipeline::pretrain

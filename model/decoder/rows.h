#pragma once
#include <cstdint>
#include <span>

#include "model/ops/attention_step.h"
#include "model/ops/batch.h"
#include "model/ops/rotary.h"

namespace chainrule::model::decoder {

/// The rows of a pass, and whom their queries meet.
struct Rows {
  std::int64_t count = 0;
  const ops::Batch* batch = nullptr;         ///< rows of whole sequences, each attending within its own; or null:
  std::span<const ops::StepRow> steps = {};  ///< one row a sequence, attending to the cache. Beside a batch: which rows
                                             ///< of it join the cache
  ops::CacheShape cache_shape = {};
  std::span<const ops::RotaryRun> turned = {};  ///< by which angles, where positions are rotary
};

}  // namespace chainrule::model::decoder

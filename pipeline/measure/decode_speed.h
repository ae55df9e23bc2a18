#pragma once
#include <cstdint>

#include "model/ops/ops.h"
#include "model/shape/config.h"

namespace chainrule::pipeline::measure {

struct DecodeSpeed {
  std::int64_t sequences = 0;
  double tokens_per_second = 0;         ///< over all sequences, the median step's
  std::int64_t prompt_tokens = 0;       ///< of each sequence
  double prompt_tokens_per_second = 0;  ///< read into all sequences at once
  std::int64_t weight_bytes = 0;        ///< read by a step (see decode_weight_bytes)
  double read_bytes_per_second = 0;     ///< all threads reading memory that no cache holds: the median pass's
  double bound_tokens_per_second = 0;   ///< sequences * read_bytes_per_second / weight_bytes
};

/// Times `steps` decode steps of `sequences` sequences behind prompts of prompt_tokens, with initialised weights. After
/// each step the memory's speed is measured by a pass over a large buffer, each thread following several streams: so
/// both medians saw the same machine, and their ratio means something on a busy one too.
DecodeSpeed measure_decode_speed(const model::shape::Config& config, model::ops::Ops& ops, std::int64_t sequences,
                                 std::int64_t prompt_tokens, std::int64_t steps);

}  // namespace chainrule::pipeline::measure

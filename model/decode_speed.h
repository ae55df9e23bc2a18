#pragma once
#include <cstdint>

#include "model/config.h"
#include "model/ops/ops.h"

namespace chainrule::model {

/// How fast all threads together read memory: bytes a second, the best of several passes over a buffer that no cache
/// holds, each thread following several streams.
double memory_read_bytes_per_second();

struct DecodeSpeed {
  std::int64_t sequences = 0;
  double tokens_per_second = 0;        ///< over all sequences, the median step's
  std::int64_t weight_bytes = 0;       ///< read by a step (see decode_weight_bytes)
  double read_bytes_per_second = 0;    ///< memory_read_bytes_per_second, measured in between
  double bound_tokens_per_second = 0;  ///< sequences * read_bytes_per_second / weight_bytes
};

/// Times `steps` decode steps of `sequences` sequences behind prompts of prompt_tokens, with initialised weights, and
/// the memory bandwidth right before and after.
DecodeSpeed measure_decode_speed(const Config& config, Ops& ops, std::int64_t sequences, std::int64_t prompt_tokens,
                                 std::int64_t steps);

}  // namespace chainrule::model

#pragma once
#include <string>
#include <utility>
#include <vector>

#include "model/ops/batch.h"
#include "model/shape/config.h"
#include "model/shape/parameters.h"
#include "tests/support/oracle.h"

namespace chainrule::tests {

/// A batch that owns its rows, made of texts side by side.
struct OwnedBatch {
  /// Each text becomes a sequence, with padding_rows rows of padding before each and after the last.
  explicit OwnedBatch(const std::vector<oracle::Text>& texts, std::int64_t padding_rows = 0);
  model::ops::Batch view() const { return {inputs, targets, sequences}; }

  std::vector<std::uint32_t> inputs;
  std::vector<std::uint32_t> targets;
  std::vector<model::ops::Sequence> sequences;
};

/// A small GPT-2 of head width 8 and feed-forward width 4 C.
model::shape::Config small_config(std::int64_t layers, std::int64_t heads, std::int64_t vocabulary_size,
                                  std::int64_t sequence_length);

/// The same as a Llama of grouped queries: heads over half as many (or one) of keys, of width 6.
model::shape::Config small_llama(std::int64_t layers, std::int64_t heads, std::int64_t vocabulary_size,
                                 std::int64_t sequence_length);

/// Configurations that between them have all that is not GPT-2's, by name.
std::vector<std::pair<std::string, model::shape::Config>> relatives();

/// A text of random tokens; every target is the next input, the last one random.
oracle::Text random_text(const model::shape::Config& config, std::int64_t tokens, std::uint64_t seed);

/// An arena of random parameters of the given deviation, gains around one; padding is zero.
std::vector<float> random_arena(const model::shape::Config& config, std::uint64_t seed, double deviation = 0.2);

/// The arena's tensors by name, in float64.
oracle::Tensors to_tensors(const model::shape::Config& config, std::span<const float> arena);

}  // namespace chainrule::tests

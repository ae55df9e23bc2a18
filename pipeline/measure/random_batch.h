#pragma once
#include <cstdint>
#include <random>
#include <vector>

#include "model/ops/batch.h"
#include "model/shape/config.h"

namespace chainrule::pipeline::measure {

/// One micro-batch of random tokens.
struct RandomBatch {
  RandomBatch(const model::shape::Config& config, std::int64_t micro_batch)
      : inputs(static_cast<std::size_t>(micro_batch * config.sequence_length)),
        targets(inputs.size()),
        nll(inputs.size()) {
    std::mt19937 random(1);
    std::uniform_int_distribution<std::uint32_t> any(0, static_cast<std::uint32_t>(config.vocabulary_size) - 1);
    for (auto& token : inputs) token = any(random);
    for (auto& token : targets) token = any(random);
    for (std::int64_t i = 0; i < micro_batch; ++i) {
      sequences.push_back({i * config.sequence_length, config.sequence_length});
    }
  }
  model::ops::Batch batch() const { return {inputs, targets, sequences}; }

  std::vector<std::uint32_t> inputs, targets;
  std::vector<model::ops::Sequence> sequences;
  std::vector<double> nll;
};

}  // namespace chainrule::pipeline::measure

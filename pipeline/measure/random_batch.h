#pragma once
#include <cstdint>
#include <random>
#include <vector>

#include "io/tokens/memory_stream.h"
#include "model/ops/prediction_scores.h"
#include "model/shape/config.h"
#include "pipeline/windows/batch_buffer.h"
#include "pipeline/windows/windows.h"

namespace chainrule::pipeline::measure {

/// One micro-batch of random tokens.
class RandomBatch {
 public:
  RandomBatch(const model::shape::Config& config, std::int64_t micro_batch)
      : scores(static_cast<std::size_t>(micro_batch * config.sequence_length)) {
    std::mt19937 random(1);
    std::uniform_int_distribution<std::uint32_t> any(0, static_cast<std::uint32_t>(config.vocabulary_size) - 1);
    std::vector<std::uint32_t> tokens(scores.nll.size() - 1);  // an end-of-text follows them
    for (auto& token : tokens) token = any(random);
    io::tokens::MemoryStream stream({static_cast<std::uint32_t>(config.vocabulary_size), 0, 0});
    stream.append(tokens);
    const windows::Windows windows(stream, config.sequence_length);
    buffer_.begin(static_cast<std::int64_t>(scores.nll.size()), stream.start_token());
    for (std::uint64_t window = 0; window < windows.count(); ++window) buffer_.add(stream, windows.at(window));
  }
  model::ops::Batch batch() const { return buffer_.batch(); }

  model::ops::OwnedPredictionScores scores;

 private:
  windows::BatchBuffer buffer_;
};

}  // namespace chainrule::pipeline::measure

#pragma once
// What the parts of Decoder share: decoder.cpp runs passes, decoder_score.cpp scores predictions.
#include <cstdint>
#include <span>
#include <vector>

#include "model/arena.h"
#include "model/decoder/block_memory.h"
#include "model/decoder/decoder.h"
#include "model/decoder/network.h"

namespace chainrule::model::decoder {

/// Elements of a decoder's activations and scratch.
struct DecoderSizes {
  DecoderSizes(const shape::ParameterTable& table, const DecoderOptions& options);
  std::int64_t sum() const { return residuals + shared + own_sets * own + ending + logits + buffers; }

  std::int64_t residuals;    // [layers + 1 (2 in evaluation), rows, C]
  std::size_t shared_parts;  // so many of a layer's first parts leave what they save in memory that all layers share:
                             // training runs them again
  std::int64_t shared;       // of these parts' saved values
  std::int64_t own_sets;     // one a layer
  std::int64_t own;          // of the other parts' saved values
  std::int64_t ending;       // hidden states and what else the final norm leaves for backward
  std::int64_t logits;       // [min(rows, kLossRows), V rounded up to a cache line]
  std::int64_t buffers;
};

/// Hands the blocks of logits to a function.
template <typename Loss>
class LossVisitor final : public LogitsVisitor {
 public:
  explicit LossVisitor(const Loss& loss) : loss_(loss) {}
  void visit(std::int64_t first_row, std::int64_t rows, float* logits, std::int64_t /*stride*/) override {
    loss_(first_row, rows, logits);
  }

 private:
  const Loss& loss_;
};

struct Decoder::State {
  State(const shape::Config& with_config, const DecoderOptions& with_options, ops::Ops& with_ops);

  void check(const weights::Weights& weights, const ops::Batch& batch) const;
  void check_parent(const ops::Batch& batch, const ops::Sequence& sequence) const;
  /// Embedding and layers; leaves the final normalised hidden states in `hidden`.
  void forward(const weights::Weights& weights, const ops::Batch& batch, ParameterGate* gate);
  void for_each_logits_block(const weights::Weights& weights, std::int64_t rows, LogitsVisitor& visitor);
  /// Moves the hidden states of scored rows to the front and their targets to `scored_targets`. Returns how many rows
  /// are then worth their logits: those and the few that round the shape of the products up.
  std::int64_t gather_scored(const ops::Batch& batch);
  /// Forward, then loss(first, rows, logits) for each block of the rows that gather_scored() chose.
  template <typename Loss>
  void score(const weights::Weights& weights, const ops::Batch& batch, const Loss& loss) {
    check(weights, batch);
    forward(weights, batch, nullptr);
    LossVisitor visitor(loss);
    for_each_logits_block(weights, gather_scored(batch), visitor);
  }
  /// The loss of a block of such rows.
  void cross_entropy(std::int64_t first, std::int64_t rows, const float* of_logits, std::span<double> nll);
  void predict(std::int64_t rows, const float* of_logits, const std::uint32_t* targets,
               const ops::PredictionScores& scores);
  /// Moves scores of scored rows to where these are in the batch.
  void spread_out(const ops::PredictionScores& scores) const;
  const BlockMemory& memory_of(std::int64_t layer) const { return memories[static_cast<std::size_t>(layer)]; }
  /// The residual stream that enters layer (the number of layers: that leaves the last one).
  float* residual(std::int64_t layer) {
    const std::int64_t kept = options.purpose == Purpose::train ? layer : layer % 2;
    return residuals.data() + kept * options.maximum_rows * network.config.width;
  }
  /// Sets what is added to in this part of the arena to zero: just before it is, lest gradients take memory sooner.
  void clear_added_to(shape::ParameterRange place, float* gradients) const;
  /// From the gradient of the hidden states to those of all parameters but the head's.
  void backward(std::span<const float> parameters, const ops::Batch& batch, float* gradients, bool accumulate,
                GradientSink* sink);
  Network network;
  DecoderOptions options;
  DecoderSizes sizes;
  shape::ParameterRange late_rows;              // the token embedding's
  std::vector<shape::ParameterRange> added_to;  // where every op adds to gradients: all but the matrices of products

  Arena residuals, shared_memory, own_memory, ending_memory, logits, buffer_memory;
  Buffers buffers;
  std::vector<BlockMemory> memories;  // of each layer; behind them shared_memory and own_memory
  BlockMemory ending;                 // behind it ending_memory
  float* hidden;                      // [rows, C] after the final norm

  std::vector<std::int64_t> scored_rows;      // of the batch
  std::vector<std::uint32_t> scored_targets;  // of the rows that gather_scored() chose
};

}  // namespace chainrule::model::decoder

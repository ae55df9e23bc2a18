#pragma once
#include <cstdint>
#include <span>

#include "model/decoder/block_pass.h"
#include "model/decoder/rotary_angles.h"
#include "model/ops/ops.h"
#include "model/shape/config.h"
#include "model/shape/parameters.h"

namespace chainrule::model::decoder {

/// The model's pieces on rows, from tokens to logits and back: what whole sequences and single steps have in common.
/// gradients: an arena of table.arena_size().
struct Network {
  /// ops outlives it. Throws Error for an impossible configuration.
  Network(const shape::Config& config, ops::Ops& ops);

  /// Rows, with the angles by which they are turned; these hold until the next call.
  Rows turned(Rows rows) {
    rows.turned = angles.of(rows);
    return rows;
  }

  /// Throws Error for an arena of another size, and for stored weights that are not all of the model's.
  void check(const weights::Weights& weights) const;

  /// Tokens and positions -> stream [rows, C].
  void embed(const weights::Weights& weights, const Rows& rows, float* stream) const;
  /// stream: the gradient [rows, C] of what embed() gave. Adds to the gradients of the embeddings.
  void embed_backward(const ops::Batch& batch, const float* stream, float* gradients) const;

  /// A layer: input -> output [rows, C]; output and cache may be null (see BlockPass).
  BlockPass layer(std::int64_t layer, const weights::Weights& weights, const Rows& rows, const float* input,
                  float* output, const BlockMemory& memory, float* cache = nullptr) const;
  /// The end of the residual stream: input -> the hidden states in memory.
  BlockPass ending(const weights::Weights& weights, const Rows& rows, const float* input,
                   const BlockMemory& memory) const;
  /// Where the ending puts the hidden states [rows, C], and where their gradient is looked for.
  float* hidden(const BlockMemory& ending) const { return ending.values[hidden_value()]; }
  float* hidden_gradient(const BlockMemory& ending) const { return ending.gradients[hidden_value()]; }

  /// The output layer: hidden [rows, C] -> logits [rows, V], row stride logits_stride, capped where the model caps
  /// them.
  void head(const weights::Weights& weights, const float* hidden, std::int64_t rows, float* logits) const;
  /// logits: their gradient. Writes hidden_gradient [rows, C]; the gradient of the head's weight is replaced unless
  /// accumulate.
  void head_backward(const float* parameters, const float* logits, std::int64_t rows, const float* hidden,
                     float* hidden_gradient, float* gradients, bool accumulate) const;

  const shape::Description& description() const { return table.description(); }

  shape::Config config;
  shape::ParameterTable table;
  ops::Ops& ops;
  RotaryAngles angles;
  std::int64_t logits_stride;  ///< the vocabulary, rounded up to a cache line

 private:
  void embed_stored(const weights::StoredWeights& stored, const Rows& rows, float* stream) const;
  std::size_t hidden_value() const { return description().ending.parts.back().output; }
};

}  // namespace chainrule::model::decoder

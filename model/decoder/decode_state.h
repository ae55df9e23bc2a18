#pragma once
#include <cstdint>
#include <memory>
#include <span>

#include "model/ops/batch.h"
#include "model/ops/ops.h"
#include "model/shape/config.h"
#include "model/weights/weights.h"

namespace chainrule::model::decoder {

struct DecodeOptions {
  std::int64_t slots = 1;     ///< sequences decoded side by side
  std::int64_t capacity = 0;  ///< most tokens a sequence may hold; at most the model's context
};

/// A prompt to be read into a slot.
struct SlotPrompt {
  std::int64_t slot = 0;
  std::span<const std::uint32_t> tokens;  ///< at least one
};

/// The newest token of the sequence in a slot.
struct SlotToken {
  std::int64_t slot = 0;
  std::uint32_t token = 0;
};

/// Several sequences in the middle of being written, with the keys and values of their tokens: each step costs one
/// token's work a sequence and one reading of the weights. Not for use by two threads at once. Logits equal
/// Decoder::visit_logits' on the same tokens but for rounding; their bits depend on which sequences share a call.
class DecodeState {
 public:
  /// ops outlives it. Throws Error for an impossible configuration or capacity.
  DecodeState(const shape::Config& config, const DecodeOptions& options, ops::Ops& ops);
  ~DecodeState();

  /// Reads prompts into their slots, in place of what these held. Afterwards logits(i) are those behind prompt i's
  /// last token. Throws Error for a token outside the vocabulary or a prompt over the capacity.
  void prefill(const weights::Weights& weights, std::span<const SlotPrompt> prompts);
  /// Appends one token to each named slot (each at most once). Afterwards logits(i) are those behind tokens[i].
  void step(const weights::Weights& weights, std::span<const SlotToken> tokens);
  /// Makes slot `to` hold the same sequence as slot `from`.
  void copy(std::int64_t from, std::int64_t to);

  /// [vocabulary_size] of row i of the last call to prefill or step.
  std::span<const float> logits(std::int64_t i) const;
  /// Tokens that a slot holds.
  std::int64_t length(std::int64_t slot) const;
  std::int64_t capacity() const;
  std::int64_t slots() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Bytes of weights that a step reads, whatever the number of its rows: all parameters but embeddings
/// that are looked up by row only.
std::int64_t decode_weight_bytes(const shape::Config& config);

}  // namespace chainrule::model::decoder

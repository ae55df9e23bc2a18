#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/shape/attention_shape.h"
#include "model/shape/rotary.h"

namespace chainrule::model::shape {

enum class Normalization { layer_norm, rms_norm };
enum class PositionEncoding { learned, rotary };
/// swiglu: silu(gate) * up, two products side by side (Shazeer 2020); relu_squared: So et al. 2021.
enum class Activation { gelu_tanh, swiglu, relu_squared };
/// Which products and norms add one; RMSNorm never does.
enum class Biases { none, query_key_value, all };

/// Shape of a decoder-only transformer: the GPT-2 family by default, Llama's and what its relatives share by the other
/// enumerators. One decoder runs them all.
struct Config {
  std::int64_t layers = 0;              ///< L
  std::int64_t heads = 0;               ///< query heads
  std::int64_t key_value_heads = 0;     ///< divides heads; 0: as many
  std::int64_t head_width = 0;          ///< 0: width / heads
  std::int64_t width = 0;               ///< C, channels of the residual stream
  std::int64_t feed_forward_width = 0;  ///< 4 C in GPT-2
  std::int64_t vocabulary_size = 0;     ///< V
  std::int64_t sequence_length = 0;     ///< T, the longest context in tokens
  std::int64_t attention_window = 0;    ///< most positions that a query meets, its own included; 0: all before it
  float normalization_epsilon = 1e-5F;
  Normalization normalization = Normalization::layer_norm;
  PositionEncoding position_encoding = PositionEncoding::learned;
  Rotary rotary = {};  ///< where position_encoding is rotary
  Activation activation = Activation::gelu_tanh;
  Biases biases = Biases::all;
  bool query_key_norm = false;  ///< each head's queries and keys pass an RMSNorm of their own before they are turned
  bool tied_head = true;        ///< the output layer multiplies with the token embedding
  float logit_soft_cap = 0;     ///< logits become cap * tanh(logits / cap); 0: they stay
  bool zero_residuals = false;  ///< projections into the residual stream begin as zero (they are normal otherwise)

  bool operator==(const Config&) const = default;
};

/// The widths of its queries, keys and values.
AttentionShape attention_shape(const Config& config);

/// Throws Error naming the first field that cannot be.
void validate(const Config& config);

/// Number of trainable parameters (124,439,808 for gpt2-124m with GPT-2's vocabulary).
std::int64_t parameter_count(const Config& config);

/// A preset's shape without a vocabulary (vocabulary_size 0: it comes from the tokenizer); empty for an unknown name.
std::optional<Config> preset(std::string_view name);
std::vector<std::string> preset_names();

/// Model FLOPs per token of a forward pass at context T: 2 N + 2 L T C, N all parameters, attention counted causal.
/// Training takes three times as many.
double forward_flops_per_token(const Config& config, std::int64_t sequence_length);

}  // namespace chainrule::model::shape

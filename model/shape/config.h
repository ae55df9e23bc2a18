#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/shape/attention_shape.h"

namespace chainrule::model::shape {

enum class Normalization { layer_norm };
enum class PositionEncoding { learned };
enum class Activation { gelu_tanh };

/// Shape of a decoder-only transformer. Today's values describe the GPT-2 family; a further family adds values to
/// the enumerations and branches where the decoder asks for them, not a second model.
struct Config {
  std::int64_t layers = 0;              ///< L
  std::int64_t heads = 0;               ///< query heads; divides width
  std::int64_t width = 0;               ///< C, channels of the residual stream
  std::int64_t feed_forward_width = 0;  ///< 4 C in GPT-2
  std::int64_t vocabulary_size = 0;     ///< V
  std::int64_t sequence_length = 0;     ///< T, the longest context in tokens
  float normalization_epsilon = 1e-5F;
  Normalization normalization = Normalization::layer_norm;
  PositionEncoding position_encoding = PositionEncoding::learned;
  Activation activation = Activation::gelu_tanh;
  bool biases = true;
  bool tied_head = true;

  bool operator==(const Config&) const = default;
};

/// The widths of its queries, keys and values: heads of width / heads channels, as many of keys and values as of
/// queries.
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

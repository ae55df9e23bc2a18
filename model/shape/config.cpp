#include "model/shape/config.h"

#include <fmt/format.h>

#include <cmath>

#include "model/error.h"
#include "model/shape/parameters.h"

namespace chainrule::model::shape {
namespace {

/// Far beyond every model there is, and small enough that no sum of sizes overflows and no table fills the memory.
void require_within(std::int64_t value, std::int64_t most, const char* name) {
  if (value < 1) throw Error(fmt::format("the model's {} must be at least 1, not {}", name, value));
  if (value > most) throw Error(fmt::format("the model's {} of {} is too large: the most is {}", name, value, most));
}

void validate_attention(const Config& config) {
  if (config.head_width == 0 && config.width % config.heads != 0) {
    throw Error(fmt::format("the model's width of {} is not a multiple of its {} heads", config.width, config.heads));
  }
  const AttentionShape attention = attention_shape(config);
  require_within(attention.key_value_heads, 1 << 16, "number of key and value heads");
  require_within(attention.head_width, 1 << 16, "head width");
  if (attention.heads % attention.key_value_heads != 0) {
    throw Error(fmt::format("the model's {} heads are not a multiple of its {} key and value heads", attention.heads,
                            attention.key_value_heads));
  }
  if (config.attention_window != 0) require_within(config.attention_window, 1 << 28, "attention window");
  if (config.position_encoding != PositionEncoding::rotary) return;
  // Two channels have nothing between the fastest and the slowest that scaling by length could stretch.
  const std::int64_t least = config.rotary.by_length() ? 4 : 2;
  if (attention.head_width % 2 == 0 && attention.head_width >= least) return;
  throw Error(
      fmt::format("rotary positions need an even head width of at least {}, not {}", least, attention.head_width));
}

}  // namespace

AttentionShape attention_shape(const Config& config) {
  return {.heads = config.heads,
          .key_value_heads = config.key_value_heads != 0 ? config.key_value_heads : config.heads,
          .head_width = config.head_width != 0 ? config.head_width : config.width / config.heads,
          .window = config.attention_window};
}

void validate(const Config& config) {
  require_within(config.layers, 10'000, "number of layers");
  require_within(config.heads, 1 << 16, "number of heads");
  require_within(config.width, 1 << 20, "width");
  require_within(config.feed_forward_width, 1 << 23, "feed-forward width");
  require_within(config.vocabulary_size, 1 << 27, "vocabulary size");
  require_within(config.sequence_length, 1 << 28, "sequence length");
  validate_attention(config);
  if (config.position_encoding == PositionEncoding::rotary) {
    validate(config.rotary, attention_shape(config).head_width);
  }
  if (!(config.normalization_epsilon > 0) || !std::isfinite(config.normalization_epsilon)) {
    throw Error("the model's normalization epsilon must be a number above 0");
  }
  if (!(config.logit_soft_cap >= 0) || !std::isfinite(config.logit_soft_cap)) {
    throw Error("the model's logit soft cap must be a number from 0 on");
  }
}

std::int64_t parameter_count(const Config& config) {
  const ParameterTable table(config);
  std::int64_t count = 0;
  for (const auto& parameter : table.parameters()) count += parameter.size();
  return count;
}

double forward_flops_per_token(const Config& config, std::int64_t sequence_length) {
  return 2.0 * static_cast<double>(parameter_count(config)) +
         ParameterTable(config).description().attention_flops_per_token(sequence_length);
}

}  // namespace chainrule::model::shape

#include "pipeline/convert/gpt2.h"

#include <nlohmann/json.hpp>

#include "io/files/json_text.h"
#include "pipeline/models/config_json.h"

namespace chainrule::pipeline::convert {

void require_gpt2(const Requirement& format, const model::shape::Config& config) {
  nlohmann::ordered_json spelled;
  models::write_config(config, spelled);
  const auto same = [&](const char* field, const auto& has, const auto& wants) {
    if (has != wants) format.refuse(field, io::files::json_text(spelled[field]));
  };
  const model::shape::Config gpt2;
  const model::shape::AttentionShape attention = model::shape::attention_shape(config);
  same("normalization", config.normalization, gpt2.normalization);
  same("position_encoding", config.position_encoding, gpt2.position_encoding);
  same("activation", config.activation, gpt2.activation);
  same("biases", config.biases, gpt2.biases);
  same("key_value_heads", attention.key_value_heads, config.heads);
  same("head_width", attention.head_width * config.heads, config.width);
  same("attention_window", config.attention_window, 0);
  same("query_key_norm", config.query_key_norm, false);
  same("tied_head", config.tied_head, true);
  same("logit_soft_cap", config.logit_soft_cap, 0.0F);
}

}  // namespace chainrule::pipeline::convert

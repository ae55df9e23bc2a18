#include "tests/model/decoder/decoder_case.h"

#include <algorithm>

#include "tests/support/values.h"

namespace chainrule::tests {

OwnedBatch::OwnedBatch(const std::vector<oracle::Text>& texts, std::int64_t padding_rows) {
  const auto pad = [&] {
    inputs.insert(inputs.end(), padding_rows, 0);
    targets.insert(targets.end(), padding_rows, model::ops::kNotScored);
  };
  for (const oracle::Text& text : texts) {
    pad();
    sequences.push_back({static_cast<std::int64_t>(inputs.size()), static_cast<std::int64_t>(text.inputs.size())});
    for (const std::int64_t token : text.inputs) inputs.push_back(static_cast<std::uint32_t>(token));
    for (const std::int64_t token : text.targets) {
      targets.push_back(token == oracle::kNoTarget ? model::ops::kNotScored : static_cast<std::uint32_t>(token));
    }
  }
  pad();
}

model::shape::Config small_config(std::int64_t layers, std::int64_t heads, std::int64_t vocabulary_size,
                                  std::int64_t sequence_length) {
  model::shape::Config config;
  config.layers = layers;
  config.heads = heads;
  config.width = 8 * heads;
  config.feed_forward_width = 4 * config.width;
  config.vocabulary_size = vocabulary_size;
  config.sequence_length = sequence_length;
  return config;
}

model::shape::Config small_llama(std::int64_t layers, std::int64_t heads, std::int64_t vocabulary_size,
                                 std::int64_t sequence_length) {
  model::shape::Config config = small_config(layers, heads, vocabulary_size, sequence_length);
  config.key_value_heads = std::max<std::int64_t>(1, heads / 2);
  config.head_width = 6;
  config.feed_forward_width = 24;
  config.normalization = model::shape::Normalization::rms_norm;
  config.position_encoding = model::shape::PositionEncoding::rotary;
  config.rotary.theta = 500;
  config.activation = model::shape::Activation::swiglu;
  config.biases = model::shape::Biases::none;
  config.tied_head = false;
  return config;
}

std::vector<std::pair<std::string, model::shape::Config>> relatives() {
  const model::shape::Config llama = small_llama(2, 4, 37, 40);
  std::vector<std::pair<std::string, model::shape::Config>> all = {{"llama", llama}};
  const auto add = [&](const char* name, auto&& change) {
    all.emplace_back(name, llama);
    change(all.back().second);
  };
  add("qwen2", [](model::shape::Config& c) { c.biases = model::shape::Biases::query_key_value; });
  add("qwen3", [](model::shape::Config& c) { c.query_key_norm = true; });
  add("mistral", [](model::shape::Config& c) { c.attention_window = 5; });
  add("tied", [](model::shape::Config& c) { c.tied_head = true; });
  add("relu_squared", [](model::shape::Config& c) {
    c.activation = model::shape::Activation::relu_squared;
    c.logit_soft_cap = 3;
  });
  add("learned_positions", [](model::shape::Config& c) {
    c.position_encoding = model::shape::PositionEncoding::learned;
    c.query_key_norm = true;
    c.biases = model::shape::Biases::all;
  });
  add("layer_norm_without_biases", [](model::shape::Config& c) {
    c.normalization = model::shape::Normalization::layer_norm;
    c.activation = model::shape::Activation::gelu_tanh;
  });
  return all;
}

oracle::Text random_text(const model::shape::Config& config, std::int64_t tokens, std::uint64_t seed) {
  const std::vector<std::uint32_t> ids = random_ids(seed, tokens + 1, config.vocabulary_size);
  return {{ids.begin(), ids.end() - 1}, {ids.begin() + 1, ids.end()}};
}

std::vector<float> random_arena(const model::shape::Config& config, std::uint64_t seed, double deviation) {
  const model::shape::ParameterTable table(config);
  std::vector<float> arena(table.arena_size(), 0.0F);
  for (const model::shape::Parameter& parameter : table.parameters()) {
    const std::vector<float> values = normal_values(seed++, parameter.size(), deviation);
    const float center = parameter.name.ends_with("norm.weight") ? 1.0F : 0.0F;
    for (std::int64_t i = 0; i < parameter.size(); ++i) arena[parameter.offset + i] = center + values[i];
  }
  return arena;
}

oracle::Tensors to_tensors(const model::shape::Config& config, std::span<const float> arena) {
  oracle::Tensors tensors;
  const model::shape::ParameterTable table(config);
  for (const model::shape::Parameter& parameter : table.parameters()) {
    tensors[parameter.name] = {parameter.shape, to_double(arena.subspan(parameter.offset, parameter.size()))};
  }
  return tensors;
}

}  // namespace chainrule::tests

#include "tests/model/decoder/decoder_case.h"

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

#include "model/shape/config.h"

#include <fmt/format.h>

#include <array>

#include "model/error.h"
#include "model/shape/parameters.h"

namespace chainrule::model::shape {
namespace {

struct Preset {
  std::string_view name;
  std::int64_t layers;
  std::int64_t heads;
  std::int64_t width;
  std::int64_t sequence_length;
};

// The four published GPT-2 sizes, and small ones for trying things out on a few cores.
constexpr std::array<Preset, 7> kPresets = {{
    {"tiny", 2, 2, 64, 128},
    {"mini", 4, 4, 256, 256},
    {"small", 6, 6, 384, 256},
    {"gpt2-124m", 12, 12, 768, 1024},
    {"gpt2-355m", 24, 16, 1024, 1024},
    {"gpt2-774m", 36, 20, 1280, 1024},
    {"gpt2-1558m", 48, 25, 1600, 1024},
}};

/// Far beyond every model there is, and small enough that no sum of sizes overflows and no table fills the memory.
void require_within(std::int64_t value, std::int64_t most, const char* name) {
  if (value < 1) throw Error(fmt::format("the model's {} must be at least 1, not {}", name, value));
  if (value > most) throw Error(fmt::format("the model's {} of {} is too large: the most is {}", name, value, most));
}

}  // namespace

AttentionShape attention_shape(const Config& config) {
  return {.heads = config.heads, .key_value_heads = config.heads, .head_width = config.width / config.heads};
}

void validate(const Config& config) {
  require_within(config.layers, 10'000, "number of layers");
  require_within(config.heads, 1 << 16, "number of heads");
  require_within(config.width, 1 << 20, "width");
  require_within(config.feed_forward_width, 1 << 23, "feed-forward width");
  require_within(config.vocabulary_size, 1 << 27, "vocabulary size");
  require_within(config.sequence_length, 1 << 28, "sequence length");
  if (config.width % config.heads != 0) {
    throw Error(fmt::format("the model's width of {} is not a multiple of its {} heads", config.width, config.heads));
  }
  if (!(config.normalization_epsilon > 0)) throw Error("the model's normalization epsilon must be above 0");
  if (!config.biases || !config.tied_head) throw Error("a model without biases, or with an untied head, is not built");
}

std::int64_t parameter_count(const Config& config) {
  const ParameterTable table(config);
  std::int64_t count = 0;
  for (const auto& parameter : table.parameters()) count += parameter.size();
  return count;
}

std::optional<Config> preset(std::string_view name) {
  for (const auto& each : kPresets) {
    if (each.name != name) continue;
    Config config;
    config.layers = each.layers;
    config.heads = each.heads;
    config.width = each.width;
    config.feed_forward_width = 4 * each.width;
    config.sequence_length = each.sequence_length;
    return config;
  }
  return std::nullopt;
}

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const auto& each : kPresets) names.emplace_back(each.name);
  return names;
}

double forward_flops_per_token(const Config& config, std::int64_t sequence_length) {
  return 2.0 * static_cast<double>(parameter_count(config)) +
         ParameterTable(config).description().attention_flops_per_token(sequence_length);
}

}  // namespace chainrule::model::shape

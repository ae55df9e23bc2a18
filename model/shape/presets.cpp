#include <array>

#include "model/shape/config.h"

namespace chainrule::model::shape {
namespace {

struct Gpt2Preset {
  std::string_view name;
  std::int64_t layers;
  std::int64_t heads;
  std::int64_t width;
  std::int64_t sequence_length;
};

// The four published GPT-2 sizes, and small ones for trying things out on a few cores.
constexpr std::array<Gpt2Preset, 7> kGpt2 = {{
    {"tiny", 2, 2, 64, 128},
    {"mini", 4, 4, 256, 256},
    {"small", 6, 6, 384, 256},
    {"gpt2-124m", 12, 12, 768, 1024},
    {"gpt2-355m", 24, 16, 1024, 1024},
    {"gpt2-774m", 36, 20, 1280, 1024},
    {"gpt2-1558m", 48, 25, 1600, 1024},
}};

struct LlamaPreset {
  std::string_view name;
  std::int64_t layers;
  std::int64_t heads;
  std::int64_t key_value_heads;
  std::int64_t head_width;
  std::int64_t width;
  std::int64_t feed_forward_width;
  std::int64_t sequence_length;
  double theta;
  bool tied_head;
};

// llama-110m: Karpathy's, of the size of GPT-2 124M. llama-1b and llama-8b: Llama 3.2 1B and Llama 3 8B, with the
// context that they were first trained on. smollm2-135m: as published.
constexpr std::array<LlamaPreset, 4> kLlama = {{
    {"llama-110m", 12, 12, 12, 64, 768, 2048, 1024, 10'000, true},
    {"llama-1b", 16, 32, 8, 64, 2048, 8192, 8192, 500'000, true},
    {"llama-8b", 32, 32, 8, 128, 4096, 14'336, 8192, 500'000, false},
    {"smollm2-135m", 30, 9, 3, 64, 576, 1536, 8192, 100'000, true},
}};

Config config_of(const Gpt2Preset& preset) {
  Config config;
  config.layers = preset.layers;
  config.heads = preset.heads;
  config.width = preset.width;
  config.feed_forward_width = 4 * preset.width;
  config.sequence_length = preset.sequence_length;
  return config;
}

Config config_of(const LlamaPreset& preset) {
  Config config;
  config.layers = preset.layers;
  config.heads = preset.heads;
  config.key_value_heads = preset.key_value_heads;
  config.head_width = preset.head_width;
  config.width = preset.width;
  config.feed_forward_width = preset.feed_forward_width;
  config.sequence_length = preset.sequence_length;
  config.normalization = Normalization::rms_norm;
  config.position_encoding = PositionEncoding::rotary;
  config.rotary.theta = preset.theta;
  config.activation = Activation::swiglu;
  config.biases = Biases::none;
  config.tied_head = preset.tied_head;
  return config;
}

}  // namespace

std::optional<Config> preset(std::string_view name) {
  for (const auto& each : kGpt2) {
    if (each.name == name) return config_of(each);
  }
  for (const auto& each : kLlama) {
    if (each.name == name) return config_of(each);
  }
  return std::nullopt;
}

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const auto& each : kGpt2) names.emplace_back(each.name);
  for (const auto& each : kLlama) names.emplace_back(each.name);
  return names;
}

}  // namespace chainrule::model::shape

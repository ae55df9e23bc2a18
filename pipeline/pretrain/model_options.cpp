#include "pipeline/pretrain/model_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <utility>

#include "pipeline/failure/error.h"

namespace chainrule::pipeline::pretrain {
namespace {

using model::shape::Activation;

constexpr std::array<std::pair<const char*, Activation>, 3> kActivations = {
    {{"gelu_tanh", Activation::gelu_tanh}, {"swiglu", Activation::swiglu}, {"relu_squared", Activation::relu_squared}}};

[[noreturn]] void refuse(const char* option, const std::string& why) {
  throw failure::Error(failure::ExitCode::usage, fmt::format("option '--{}': {}", option, why));
}

Activation activation_of(const std::string& name) {
  for (const auto& [each, activation] : kActivations) {
    if (name == each) return activation;
  }
  refuse("activation", fmt::format("gelu_tanh, swiglu or relu_squared, not {}", name));
}

model::shape::Config preset_of(const std::string& name) {
  if (const auto preset = model::shape::preset(name)) return *preset;
  refuse("model",
         fmt::format("no preset is named '{}'; there are {}", name, fmt::join(model::shape::preset_names(), ", ")));
}

/// Query heads that share keys and values, as in the preset.
std::int64_t shared_heads(const model::shape::Config& preset, std::int64_t heads) {
  const std::int64_t group = model::shape::attention_shape(preset).group();
  if (heads % group != 0) {
    refuse("heads", fmt::format("{} query heads share keys and values in this preset, and {} are not a multiple; see "
                                "--key-value-heads",
                                group, heads));
  }
  return heads / group;
}

}  // namespace

void validate(const ModelOptions& options) {
  const std::array<std::pair<const char*, std::int64_t>, 7> counts = {
      {{"layers", options.layers},
       {"heads", options.heads},
       {"key-value-heads", options.key_value_heads},
       {"width", options.width},
       {"feed-forward-width", options.feed_forward_width},
       {"sequence-length", options.sequence_length},
       {"attention-window", options.attention_window}}};
  for (const auto& [name, value] : counts) {
    if (value < 0) refuse(name, fmt::format("must be at least 0, not {}", value));
  }
  if (!(options.logit_soft_cap >= 0 && options.logit_soft_cap <= 1e6)) {
    refuse("logit-soft-cap", fmt::format("must be from 0 to 1e+06, not {}", options.logit_soft_cap));
  }
  if (!options.activation.empty()) activation_of(options.activation);
}

model::shape::Config shape_of(const ModelOptions& options, std::uint32_t vocabulary_size) {
  const model::shape::Config preset = preset_of(options.preset);
  model::shape::Config config = preset;
  if (options.layers != 0) config.layers = options.layers;
  if (options.heads != 0) {
    config.heads = options.heads;
    if (preset.key_value_heads != 0) config.key_value_heads = shared_heads(preset, options.heads);
  }
  if (options.key_value_heads != 0) config.key_value_heads = options.key_value_heads;
  if (options.width != 0) {
    config.width = options.width;
    config.feed_forward_width = preset.feed_forward_width * options.width / preset.width;
  }
  if (options.width != 0 || options.heads != 0) config.head_width = 0;
  if (options.feed_forward_width != 0) config.feed_forward_width = options.feed_forward_width;
  if (options.sequence_length != 0) config.sequence_length = options.sequence_length;
  if (!options.activation.empty()) config.activation = activation_of(options.activation);
  config.attention_window = options.attention_window;
  config.logit_soft_cap = static_cast<float>(options.logit_soft_cap);
  config.query_key_norm = options.query_key_norm;
  config.zero_residuals = options.zero_residuals;
  config.vocabulary_size = vocabulary_size;
  model::shape::validate(config);
  return config;
}

}  // namespace chainrule::pipeline::pretrain

#include "pipeline/models/external/gguf_rotary.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "io/tensors/encoding.h"
#include "model/shape/rotary_factors.h"

namespace chainrule::pipeline::models::external {
namespace {

using io::tensors::Encoding;
using io::tensors::StoredTensor;
using model::shape::Config;
using model::shape::RotaryScaling;
using Kind = RotaryScaling::Kind;

/// The context's stretch; "linear" is what a file without a type means.
double read_factor(GgufKeys& keys, const std::string& type) {
  const char* key = keys.has("rope.scaling.factor") ? "rope.scaling.factor" : "rope.scale_linear";
  keys.ignore("rope.scale_linear");
  const double factor = keys.number(key, 1);
  if (type == "none" || factor == 0) return 1;  // 0: not set
  if (!(factor > 0) || !std::isfinite(factor)) keys.refuse(key, "must be above 0");
  return factor;
}

/// What cosines and sines are multiplied with, as yarn's paper recommends.
double attention_factor_of(double factor) { return factor > 1 ? 0.1 * std::log(factor) + 1 : 1; }

/// llama.cpp writes these for every architecture and reads them for few, none of ours: what they ask for must be what
/// it does without them.
void require_unread(GgufKeys& keys, const std::string& type, double attention_factor) {
  const auto require = [&](const char* name, double value, double or_value) {
    const std::string key = std::string("rope.scaling.") + name;
    const auto number = static_cast<float>(keys.number(key, value));
    if (number == static_cast<float>(value) || number == static_cast<float>(or_value)) return;
    keys.refuse(key, fmt::format("of {} is what llama.cpp does not heed, and is not built", number));
  };
  require("yarn_log_multiplier", 0, 0);
  require("yarn_beta_fast", 32, 32);
  require("yarn_beta_slow", 1, 1);
  require("yarn_ext_factor", -1, type == "yarn" ? 1 : 0);  // -1: not set
  require("yarn_attn_factor", 1, attention_factor);
}

RotaryScaling read_scaling_keys(GgufKeys& keys, std::int64_t context) {
  const std::string type = keys.text("rope.scaling.type", "linear");
  RotaryScaling scaling;
  scaling.factor = read_factor(keys, type);
  const std::int64_t original = keys.whole_number("rope.scaling.original_context_length", 0);
  const double of_cosines = keys.number("rope.scaling.attn_factor", 1);
  keys.ignore("rope.scaling.finetuned");
  if (type == "yarn") {
    scaling.kind = Kind::yarn;
    scaling.original_length = original != 0 ? original : context;
    scaling.attention_factor = attention_factor_of(scaling.factor) * of_cosines;
  } else if (type == "linear" || type == "none") {
    if (of_cosines != 1)
      keys.refuse("rope.scaling.attn_factor", fmt::format("is not built where the type is {}", type));
    if (scaling.factor != 1) scaling.kind = Kind::linear;
  } else {
    keys.refuse("rope.scaling.type", "asks for something that is not built");
  }
  require_unread(keys, type, scaling.attention_factor);
  return scaling;
}

/// [pairs] numbers.
std::vector<float> read_factors(const GgufKeys& keys, const StoredTensor& tensor, std::int64_t pairs) {
  if (tensor.encoding != Encoding::f32 || tensor.shape != std::vector<std::int64_t>{pairs}) {
    keys.refuse_tensor(kFrequencyFactors, fmt::format("does not hold {} factors in F32", pairs));
  }
  std::vector<float> factors(static_cast<std::size_t>(pairs));
  std::memcpy(factors.data(), tensor.bytes.data(), tensor.bytes.size());
  return factors;
}

}  // namespace

void read_gguf_rotary(GgufKeys& keys, const io::tensors::StoredTensors& tensors, bool is_llama, Config& config) {
  const std::int64_t width = model::shape::attention_shape(config).head_width;
  config.position_encoding = model::shape::PositionEncoding::rotary;
  config.rotary.theta = keys.number("rope.freq_base", 10'000);
  keys.require("rope.dimension_count", width);
  config.rotary.scaling = read_scaling_keys(keys, config.sequence_length);
  if (!is_llama || !tensors.contains(kFrequencyFactors)) return;
  if (config.rotary.scaling.kind != Kind::none) {
    keys.refuse_tensor(kFrequencyFactors, "beside another scaling of rotary positions is not built");
  }
  const std::vector<float> factors = read_factors(keys, tensors.tensor(kFrequencyFactors), width / 2);
  config.rotary.scaling = model::shape::scaling_of_factors(factors, config.rotary.theta);
}

}  // namespace chainrule::pipeline::models::external

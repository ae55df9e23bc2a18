#include "pipeline/models/external/rotary_config.h"

#include <fmt/format.h>

#include <cmath>

#include "io/quote.h"

namespace chainrule::pipeline::models::external {
namespace {

using model::shape::RotaryScaling;
using Kind = RotaryScaling::Kind;

double number_of(ConfigFields& fields, const char* field) {
  if (!fields.has(field)) fields.refuse(field, "is absent");
  return fields.number(field, 0);
}

/// What yarn's cosines and sines are multiplied with (Peng et al. 2023; the two mscales are DeepSeek's).
double yarn_attention_factor(ConfigFields& fields, double factor) {
  const auto scale = [factor](double by) { return factor <= 1 ? 1.0 : 0.1 * by * std::log(factor) + 1.0; };
  const double mscale = fields.number("mscale", 0);
  const double mscale_all = fields.number("mscale_all_dim", 0);
  const double otherwise = mscale != 0 && mscale_all != 0 ? scale(mscale) / scale(mscale_all) : scale(1);
  return fields.number("attention_factor", otherwise);
}

/// positions: max_position_embeddings.
RotaryScaling read_scaling(ConfigFields& fields, std::int64_t positions) {
  RotaryScaling scaling;
  const std::string type = fields.text("rope_type", fields.text("type", "default"));
  if (fields.text("type", type) != type) fields.refuse("type", "says something else than rope_type");
  if (type == "default") return scaling;
  scaling.factor = number_of(fields, "factor");
  scaling.original_length = fields.whole_number("original_max_position_embeddings", positions);
  if (type == "linear") {
    scaling.kind = Kind::linear;
    fields.ignore({"original_max_position_embeddings"});
  } else if (type == "dynamic") {
    scaling.kind = Kind::dynamic;
    scaling.original_length = positions;  // as transformers has it, whatever the other field says
  } else if (type == "llama3") {
    scaling.kind = Kind::llama3;
    scaling.low_frequency_factor = number_of(fields, "low_freq_factor");
    scaling.high_frequency_factor = number_of(fields, "high_freq_factor");
  } else if (type == "yarn") {
    scaling.kind = Kind::yarn;
    scaling.beta_fast = fields.number("beta_fast", 32);
    scaling.beta_slow = fields.number("beta_slow", 1);
    scaling.truncate = fields.truth("truncate", true);
    scaling.attention_factor = yarn_attention_factor(fields, scaling.factor);
  } else {
    fields.refuse("rope_type", fmt::format("{} is not built", io::in_quotes(type)));
  }
  return scaling;
}

void read_from(ConfigFields& fields, std::int64_t positions, model::shape::Rotary& rotary) {
  rotary.theta = fields.number("rope_theta", rotary.theta);
  rotary.scaling = read_scaling(fields, positions);
  if (fields.number("partial_rotary_factor", 1) != 1) fields.refuse("partial_rotary_factor", "is not built");
  fields.refuse_others();
}

}  // namespace

void read_rotary(ConfigFields& fields, double default_theta, model::shape::Config& config) {
  const std::int64_t positions = fields.whole_number("max_position_embeddings");
  config.position_encoding = model::shape::PositionEncoding::rotary;
  config.rotary.theta = fields.number("rope_theta", default_theta);
  if (fields.has("rope_parameters") && fields.has("rope_scaling") &&
      fields.value("rope_parameters") != fields.value("rope_scaling")) {
    fields.refuse("rope_scaling", "says something else than rope_parameters");
  }
  if (auto parameters = fields.object("rope_parameters")) {
    read_from(*parameters, positions, config.rotary);
  } else if (auto scaling = fields.object("rope_scaling")) {
    read_from(*scaling, positions, config.rotary);
  }
  fields.ignore({"rope_scaling"});
  if (fields.number("partial_rotary_factor", 1) != 1) fields.refuse("partial_rotary_factor", "is not built");
  config.sequence_length = positions;
  if (config.rotary.by_length()) {
    const double longest = std::floor(config.rotary.scaling.factor * static_cast<double>(positions));
    if (!(longest >= 1 && longest < 0x1p31)) fields.refuse("rope_scaling", "stretches the context beyond measure");
    config.sequence_length = static_cast<std::int64_t>(longest);
  }
}

}  // namespace chainrule::pipeline::models::external

#include "pipeline/models/config_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>

#include "io/files/json_text.h"
#include "io/files/json_values.h"
#include "io/quote.h"
#include "model/error.h"

namespace chainrule::model::shape {

NLOHMANN_JSON_SERIALIZE_ENUM(Normalization,
                             {{Normalization::layer_norm, "layer_norm"}, {Normalization::rms_norm, "rms_norm"}})
NLOHMANN_JSON_SERIALIZE_ENUM(PositionEncoding,
                             {{PositionEncoding::learned, "learned"}, {PositionEncoding::rotary, "rotary"}})
NLOHMANN_JSON_SERIALIZE_ENUM(Activation, {{Activation::gelu_tanh, "gelu_tanh"},
                                          {Activation::swiglu, "swiglu"},
                                          {Activation::relu_squared, "relu_squared"}})
NLOHMANN_JSON_SERIALIZE_ENUM(Biases,
                             {{Biases::all, true}, {Biases::none, false}, {Biases::query_key_value, "query_key_value"}})
NLOHMANN_JSON_SERIALIZE_ENUM(RotaryScaling::Kind, {{RotaryScaling::Kind::none, "none"},
                                                   {RotaryScaling::Kind::linear, "linear"},
                                                   {RotaryScaling::Kind::dynamic, "dynamic"},
                                                   {RotaryScaling::Kind::llama3, "llama3"},
                                                   {RotaryScaling::Kind::yarn, "yarn"},
                                                   {RotaryScaling::Kind::factors, "factors"}})

}  // namespace chainrule::model::shape

namespace chainrule::pipeline::models {
namespace {

using model::shape::Config;
using model::shape::Rotary;
using model::shape::RotaryScaling;

/// Calls visit(name, member) for each number of a scaling.
template <typename Scaling, typename Visit>
void for_each_number(Scaling& scaling, Visit&& visit) {
  visit("factor", scaling.factor);
  visit("low_frequency_factor", scaling.low_frequency_factor);
  visit("high_frequency_factor", scaling.high_frequency_factor);
  visit("beta_fast", scaling.beta_fast);
  visit("beta_slow", scaling.beta_slow);
  visit("attention_factor", scaling.attention_factor);
}

nlohmann::ordered_json to_json(const Rotary& rotary) {
  nlohmann::ordered_json json;
  json["theta"] = rotary.theta;
  if (rotary.scaling.kind == RotaryScaling::Kind::none) return json;
  nlohmann::ordered_json& scaling = json["scaling"];
  scaling["kind"] = rotary.scaling.kind;
  if (rotary.scaling.kind == RotaryScaling::Kind::factors) {
    scaling["factors"] = rotary.scaling.factors;
    return json;
  }
  scaling["original_length"] = rotary.scaling.original_length;
  scaling["truncate"] = rotary.scaling.truncate;
  for_each_number(rotary.scaling, [&](const char* name, double value) { scaling[name] = value; });
  return json;
}

/// The enumerator that json spells; a name that we do not know is refused, not taken for the first.
template <typename Enumeration>
Enumeration enumerator(const nlohmann::json& json, const char* field) {
  const auto value = json.at(field).get<Enumeration>();
  if (nlohmann::json(value) != json.at(field)) {
    throw model::Error(fmt::format("{} {} is not known", field, io::in_quotes(io::files::json_text(json.at(field)))));
  }
  return value;
}

Rotary rotary_of(const nlohmann::json& json) {
  Rotary rotary;
  json.at("theta").get_to(rotary.theta);
  const auto scaling = json.find("scaling");
  if (scaling == json.end()) return rotary;
  rotary.scaling.kind = enumerator<RotaryScaling::Kind>(*scaling, "kind");
  if (rotary.scaling.kind == RotaryScaling::Kind::factors) {
    scaling->at("factors").get_to(rotary.scaling.factors);
    return rotary;
  }
  rotary.scaling.original_length = io::files::whole_number<std::int64_t>(*scaling, "original_length");
  scaling->at("truncate").get_to(rotary.scaling.truncate);
  for_each_number(rotary.scaling, [&](const char* name, double& value) { scaling->at(name).get_to(value); });
  return rotary;
}

std::int64_t whole_number_or_none(const nlohmann::json& json, const char* field) {
  return json.contains(field) ? io::files::whole_number<std::int64_t>(json, field) : 0;
}

}  // namespace

void write_config(const Config& config, nlohmann::ordered_json& json) {
  json["layers"] = config.layers;
  json["heads"] = config.heads;
  if (config.key_value_heads != 0) json["key_value_heads"] = config.key_value_heads;
  if (config.head_width != 0) json["head_width"] = config.head_width;
  json["width"] = config.width;
  json["feed_forward_width"] = config.feed_forward_width;
  json["vocabulary_size"] = config.vocabulary_size;
  json["sequence_length"] = config.sequence_length;
  if (config.attention_window != 0) json["attention_window"] = config.attention_window;
  json["normalization"] = config.normalization;
  json["normalization_epsilon"] = config.normalization_epsilon;
  json["position_encoding"] = config.position_encoding;
  if (config.position_encoding == model::shape::PositionEncoding::rotary) json["rotary"] = to_json(config.rotary);
  json["activation"] = config.activation;
  json["biases"] = config.biases;
  if (config.query_key_norm) json["query_key_norm"] = true;
  json["tied_head"] = config.tied_head;
  if (config.logit_soft_cap != 0) json["logit_soft_cap"] = config.logit_soft_cap;
  if (config.zero_residuals) json["zero_residuals"] = true;
}

std::string config_text(const Config& config) {
  nlohmann::ordered_json json;
  write_config(config, json);
  return io::files::json_text(json);
}

Config read_config(const nlohmann::json& json) {
  Config config;
  config.layers = io::files::whole_number<std::int64_t>(json, "layers");
  config.heads = io::files::whole_number<std::int64_t>(json, "heads");
  config.key_value_heads = whole_number_or_none(json, "key_value_heads");
  config.head_width = whole_number_or_none(json, "head_width");
  config.width = io::files::whole_number<std::int64_t>(json, "width");
  config.feed_forward_width = io::files::whole_number<std::int64_t>(json, "feed_forward_width");
  config.vocabulary_size = io::files::whole_number<std::int64_t>(json, "vocabulary_size");
  config.sequence_length = io::files::whole_number<std::int64_t>(json, "sequence_length");
  config.attention_window = whole_number_or_none(json, "attention_window");
  config.normalization = enumerator<model::shape::Normalization>(json, "normalization");
  json.at("normalization_epsilon").get_to(config.normalization_epsilon);
  config.position_encoding = enumerator<model::shape::PositionEncoding>(json, "position_encoding");
  if (config.position_encoding == model::shape::PositionEncoding::rotary) config.rotary = rotary_of(json.at("rotary"));
  config.activation = enumerator<model::shape::Activation>(json, "activation");
  config.biases = enumerator<model::shape::Biases>(json, "biases");
  if (json.contains("query_key_norm")) json.at("query_key_norm").get_to(config.query_key_norm);
  json.at("tied_head").get_to(config.tied_head);
  if (json.contains("logit_soft_cap")) json.at("logit_soft_cap").get_to(config.logit_soft_cap);
  if (json.contains("zero_residuals")) json.at("zero_residuals").get_to(config.zero_residuals);
  model::shape::validate(config);
  return config;
}

}  // namespace chainrule::pipeline::models

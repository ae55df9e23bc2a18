#include "pipeline/models/model_description.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/digest.h"
#include "io/files/json_text.h"
#include "io/files/versioned_json.h"
#include "model/error.h"

namespace chainrule::model::shape {

NLOHMANN_JSON_SERIALIZE_ENUM(Normalization, {{Normalization::layer_norm, "layer_norm"}})
NLOHMANN_JSON_SERIALIZE_ENUM(PositionEncoding, {{PositionEncoding::learned, "learned"}})
NLOHMANN_JSON_SERIALIZE_ENUM(Activation, {{Activation::gelu_tanh, "gelu_tanh"}})

}  // namespace chainrule::model::shape

namespace chainrule::pipeline::models {
namespace {

constexpr io::files::JsonFormat kFormat = {"chainrule-model", 1};

/// The enumerator that json spells; a name that we do not know is refused, not taken for the first.
template <typename Enumeration>
Enumeration enumerator(const nlohmann::json& json, const char* field) {
  const auto value = json.at(field).get<Enumeration>();
  if (nlohmann::json(value) != json.at(field)) {
    throw model::Error(fmt::format("{} {} is not known", field, io::files::json_text(json.at(field))));
  }
  return value;
}

}  // namespace

std::string hash_of(std::span<const float> arena) {
  io::files::Digest digest;
  digest.update(arena.data(), arena.size_bytes());
  return digest.hexadecimal();
}

void write_model_description(const std::filesystem::path& path, const ModelDescription& description) {
  const model::shape::Config& config = description.config;
  nlohmann::ordered_json json = io::files::begin_json(kFormat);
  json["layers"] = config.layers;
  json["heads"] = config.heads;
  json["width"] = config.width;
  json["feed_forward_width"] = config.feed_forward_width;
  json["vocabulary_size"] = config.vocabulary_size;
  json["sequence_length"] = config.sequence_length;
  json["normalization"] = config.normalization;
  json["normalization_epsilon"] = config.normalization_epsilon;
  json["position_encoding"] = config.position_encoding;
  json["activation"] = config.activation;
  json["biases"] = config.biases;
  json["tied_head"] = config.tied_head;
  json["parameters"] = model::shape::parameter_count(config);
  json["tokenizer_fingerprint"] = description.tokenizer_fingerprint;
  json["weights_hash"] = description.weights_hash;
  json["step"] = description.step;
  io::files::write_file_atomically(path, io::files::json_text(json, 2) + "\n");
}

ModelDescription read_model_description(const std::filesystem::path& path) {
  const auto refuse = [&](const std::string& why) {
    throw io::Error(io::ErrorKind::bad_data, fmt::format("'{}': {}", path.string(), why));
  };
  ModelDescription description;
  try {
    const auto json = io::files::parse_json(io::files::read_file(path));
    if (!io::files::is_format(json, kFormat) || !io::files::is_version(json, kFormat)) {
      refuse(fmt::format("not a model description of format version {}", kFormat.version));
    }
    model::shape::Config& config = description.config;
    config.layers = io::files::whole_number(json, "layers");
    config.heads = io::files::whole_number(json, "heads");
    config.width = io::files::whole_number(json, "width");
    config.feed_forward_width = io::files::whole_number(json, "feed_forward_width");
    config.vocabulary_size = io::files::whole_number(json, "vocabulary_size");
    config.sequence_length = io::files::whole_number(json, "sequence_length");
    config.normalization = enumerator<model::shape::Normalization>(json, "normalization");
    json.at("normalization_epsilon").get_to(config.normalization_epsilon);
    config.position_encoding = enumerator<model::shape::PositionEncoding>(json, "position_encoding");
    config.activation = enumerator<model::shape::Activation>(json, "activation");
    json.at("biases").get_to(config.biases);
    json.at("tied_head").get_to(config.tied_head);
    json.at("tokenizer_fingerprint").get_to(description.tokenizer_fingerprint);
    json.at("weights_hash").get_to(description.weights_hash);
    description.step = io::files::whole_number(json, "step");
    model::shape::validate(config);
  } catch (const nlohmann::json::exception& error) {
    refuse(error.what());
  } catch (const model::Error& error) {
    refuse(error.what());
  }
  return description;
}

}  // namespace chainrule::pipeline::models

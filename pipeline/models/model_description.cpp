#include "pipeline/models/model_description.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/digest.h"
#include "io/files/json_text.h"
#include "io/files/json_values.h"
#include "io/files/versioned_json.h"
#include "io/quote.h"
#include "model/error.h"
#include "pipeline/models/config_json.h"

namespace chainrule::pipeline::models {
namespace {

constexpr io::files::JsonFormat kFormat = {"chainrule-model", 1};

nlohmann::ordered_json to_json(const ModelDescription& description) {
  nlohmann::ordered_json json = io::files::begin_json(kFormat);
  write_config(description.config, json);
  json["parameters"] = model::shape::parameter_count(description.config);
  json["tokenizer_fingerprint"] = description.tokenizer_fingerprint;
  json["weights_hash"] = description.weights_hash;
  json["step"] = description.step;
  if (description.average) {
    json["average"] = {{"rule", description.average->rule}, {"arena_layout", description.average->arena_layout}};
  }
  return json;
}

/// Refuses what was not understood of a description: a later version may have written it, and what it asks for would
/// not be done.
void require_all_understood(const nlohmann::json& json, const ModelDescription& description) {
  const nlohmann::json understood = to_json(description);
  for (const auto& [name, value] : json.items()) {
    const auto known = understood.find(name);
    if (known != understood.end() && (!value.is_object() || value == *known)) continue;
    throw model::Error(fmt::format("the field {} is not known, or holds what is not", io::in_quotes(name)));
  }
}

}  // namespace

std::string hash_of(std::span<const float> arena) {
  io::files::Digest digest;
  digest.update(arena.data(), arena.size_bytes());
  return digest.hexadecimal();
}

std::string arena_layout(const model::shape::ParameterTable& table) {
  io::files::Digest digest;
  const auto add = [&](const std::string& text) { digest.update(text.data(), text.size()); };
  for (const auto& parameter : table.parameters()) {
    add(fmt::format("{}@{}[", parameter.name, parameter.offset));
    for (const std::int64_t extent : parameter.shape) add(fmt::format("{},", extent));
    add("];");
  }
  return digest.hexadecimal();
}

void write_model_description(const std::filesystem::path& path, const ModelDescription& description) {
  io::files::write_file_atomically(path, io::files::json_text(to_json(description), 2) + "\n");
}

ModelDescription read_model_description(const std::filesystem::path& path) {
  const auto refuse = [&](const std::string& why) {
    throw io::Error(io::ErrorKind::bad_data, fmt::format("{}: {}", io::path_in_quotes(path), why));
  };
  ModelDescription description;
  try {
    const auto json = io::files::parse_json(io::files::read_file(path));
    if (!io::files::is_format(json, kFormat) || !io::files::is_version(json, kFormat)) {
      refuse(fmt::format("not a model description of format version {}", kFormat.version));
    }
    description.config = read_config(json);
    json.at("tokenizer_fingerprint").get_to(description.tokenizer_fingerprint);
    json.at("weights_hash").get_to(description.weights_hash);
    description.step = io::files::whole_number<std::int64_t>(json, "step");
    if (json.contains("average")) {
      const nlohmann::json& average = json.at("average");
      description.average = KeptAverage{average.at("rule"), average.at("arena_layout")};
    }
    require_all_understood(json, description);
  } catch (const nlohmann::json::exception& error) {
    refuse(error.what());
  } catch (const model::Error& error) {
    refuse(error.what());
  }
  return description;
}

}  // namespace chainrule::pipeline::models

#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "model/shape/config.h"

namespace chainrule::pipeline::models {

/// Appends a model's shape as model.json spells it. What GPT-2 does not have is left out where it is not used.
void write_config(const model::shape::Config& config, nlohmann::ordered_json& json);

/// What write_config() appends, on one line: equal for equal configurations.
std::string config_text(const model::shape::Config& config);

/// The shape in an object that write_config() appended to. Throws nlohmann::json::exception or model::Error naming the
/// field that is absent or cannot be.
model::shape::Config read_config(const nlohmann::json& json);

}  // namespace chainrule::pipeline::models

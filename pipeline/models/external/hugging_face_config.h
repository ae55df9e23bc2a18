#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "model/shape/config.h"

namespace chainrule::pipeline::models::external {

/// What config.json of a Hugging Face model says: model_type gpt2, llama, mistral, qwen2 or qwen3. name is what
/// messages call it. Every field is honoured, is known to change no probability, or asks for nothing (null, false);
/// else Error bad_data names it.
model::shape::Config read_hugging_face_config(const nlohmann::json& json, const std::string& name);

}  // namespace chainrule::pipeline::models::external

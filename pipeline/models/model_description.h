#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "model/shape/config.h"

namespace chainrule::pipeline::models {

/// What model.json holds: a model's shape and identity.
struct ModelDescription {
  model::shape::Config config;
  std::string tokenizer_fingerprint;
  std::string weights_hash;
  std::int64_t step = 0;
};

void write_model_description(const std::filesystem::path& path, const ModelDescription& description);
/// Throws io::Error (missing_input, bad_data).
ModelDescription read_model_description(const std::filesystem::path& path);

/// XXH3-128 of an arena's bytes.
std::string hash_of(std::span<const float> arena);

}  // namespace chainrule::pipeline::models

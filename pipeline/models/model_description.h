#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "model/shape/config.h"
#include "model/shape/parameters.h"

namespace chainrule::pipeline::models {

/// The average of its weights that a checkpoint keeps beside them.
struct KeptAverage {
  std::string rule;          ///< how it was made: "ema:0.999"
  std::string arena_layout;  ///< of the arena whose elements its files hold: see arena_layout()
};

/// What model.json holds: a model's shape and identity.
struct ModelDescription {
  model::shape::Config config;
  std::string tokenizer_fingerprint;
  std::string weights_hash;
  std::int64_t step = 0;
  std::optional<KeptAverage> average = {};
};

void write_model_description(const std::filesystem::path& path, const ModelDescription& description);
/// Throws io::Error (missing_input, bad_data).
ModelDescription read_model_description(const std::filesystem::path& path);

/// XXH3-128 of an arena's bytes.
std::string hash_of(std::span<const float> arena);

/// Fingerprint of a table's names, shapes and offsets.
std::string arena_layout(const model::shape::ParameterTable& table);

}  // namespace chainrule::pipeline::models

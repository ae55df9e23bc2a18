#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "model/shape/config.h"

namespace chainrule::tests {

struct MadeCheckpoint {
  model::shape::Config config;
  std::span<const float> parameters;  ///< laid out by model::ParameterTable(config)
  std::int64_t step = 0;
  std::string tokenizer_fingerprint;
  std::string tokenizer_json = "{}";
};

/// Writes the checkpoint folder that a reader of models expects.
void write_checkpoint(const std::filesystem::path& folder, const MadeCheckpoint& made);

}  // namespace chainrule::tests

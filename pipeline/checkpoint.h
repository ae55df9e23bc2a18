#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "model/arena.h"
#include "model/config.h"

namespace chainrule::pipeline {

/// A model as a person names it on the command line, read and verified.
struct LoadedModel {
  model::Config config;
  model::Arena parameters;                ///< laid out by model::ParameterTable(config)
  std::filesystem::path folder;           ///< the checkpoint it came from
  std::filesystem::path tokenizer;        ///< its tokenizer.json
  std::string tokenizer_fingerprint;
  std::string weights_hash;               ///< XXH3-128 of the parameter arena
  std::int64_t step = 0;                  ///< training steps taken
};

/// Reads the checkpoint in `path`, or where path is a run directory its highest step with a valid manifest (also
/// while the run goes on). Every file is checked against the manifest. Throws io::Error (missing_input, bad_data).
LoadedModel load_model(const std::filesystem::path& path);

}  // namespace chainrule::pipeline

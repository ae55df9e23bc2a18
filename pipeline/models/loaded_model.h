#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "model/arena.h"
#include "model/shape/config.h"
#include "pipeline/comm/communicator.h"

namespace chainrule::pipeline::models {

/// A model as a person names it on the command line, read and verified.
struct LoadedModel {
  model::shape::Config config;
  model::Arena parameters;          ///< laid out by model::ParameterTable(config)
  std::filesystem::path folder;     ///< the checkpoint it came from
  std::filesystem::path tokenizer;  ///< its tokenizer.json
  std::string tokenizer_fingerprint;
  std::string weights_hash;  ///< XXH3-128 of the parameter arena
  std::int64_t step = 0;     ///< training steps taken
};

using CheckpointReader = std::function<void(const LoadedModel&)>;

/// Reads the checkpoint in `path`, or where path is a run directory its highest step that its manifest vouches for
/// (also while the run goes on); steps passed over because they are damaged are named on stderr by the first rank.
/// Every file must be there with its size, and the ones that are read are checked against their checksums. A checkpoint
/// that the run deletes in the meantime gives way to the newer one that took its place. Throws io::Error
/// (missing_input, bad_data).
/// also: reads what else the caller wants of the checkpoint; where it throws io::Error, the checkpoint counts as
/// damaged.
LoadedModel load_model(const std::filesystem::path& path, const CheckpointReader& also = {});

/// The same model on every rank, also where path is a run that writes its next checkpoint while the ranks read: rank 0
/// chooses. Throws AgreedError. Collective.
LoadedModel load_same_model(const comm::Communicator& communicator, const std::filesystem::path& path,
                            const CheckpointReader& also = {});

}  // namespace chainrule::pipeline::models

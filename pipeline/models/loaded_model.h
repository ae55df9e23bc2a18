#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "io/tokenizer/tokenizer.h"
#include "model/arena.h"
#include "model/shape/config.h"
#include "model/weights/weights.h"
#include "pipeline/comm/communicator.h"

namespace chainrule::pipeline::models {

/// A model as a person names it on the command line, read and verified.
struct LoadedModel {
  model::shape::Config config;
  model::Arena parameters;  ///< of a checkpoint, laid out by model::ParameterTable(config)
  /// Of another system's model, in its mapped files: then there is no arena.
  std::shared_ptr<const model::weights::StoredWeights> stored;
  std::filesystem::path folder;  ///< the checkpoint, the other system's folder or file, or the name of the average
  std::string average = {};      ///< "ema:DECAY" or "mean:STEP,STEP..."; empty: weights as they were trained
  std::function<io::tokenizer::Tokenizer()> load_tokenizer;
  std::string tokenizer_fingerprint;
  /// Of another system's model: what its tokenizer says that texts are read behind.
  std::optional<std::uint32_t> start_token;
  std::string weights_hash;  ///< XXH3-128 of the parameter arena, or of the stored tensors in its order
  std::int64_t step = 0;     ///< training steps taken

  model::weights::Weights weights() const;
};

using CheckpointReader = std::function<void(const LoadedModel&)>;

/// Reads another system's model (see external::open_external_model), which stays where it is and brings its tokenizer
/// or has a tokenizer.json beside it; or the average that path names (see AverageName); or the checkpoint in `path`; or
/// where path is a run directory its highest step
/// that its manifest vouches for (also while the run goes on); steps passed over because they are damaged are named on
/// stderr by the first rank. Every file must be there with its size, and the ones that are read are checked against
/// their checksums. A checkpoint that the run deletes in the meantime gives way to the newer one that took its place.
/// Throws io::Error (missing_input, bad_data), failure::Error (usage, and missing_input where a checkpoint keeps no
/// average). also: reads what else the caller wants of the checkpoint; where it
/// throws io::Error, the checkpoint counts as damaged.
LoadedModel load_model(const std::filesystem::path& path, const CheckpointReader& also = {});

/// The same model on every rank, also where path is a run that writes its next checkpoint while the ranks read: rank 0
/// chooses. Throws AgreedError. Collective.
LoadedModel load_same_model(const comm::Communicator& communicator, const std::filesystem::path& path,
                            const CheckpointReader& also = {});

}  // namespace chainrule::pipeline::models

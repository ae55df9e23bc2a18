#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/tokens/token_stream.h"
#include "model/shape/config.h"
#include "pipeline/comm/communicator.h"
#include "pipeline/pretrain/options.h"
#include "pipeline/pretrain/start.h"

namespace chainrule::pipeline::pretrain {

/// What a run reads of one source.
struct SourceInput {
  std::string name;  ///< empty: of a run without a mix
  std::unique_ptr<const io::tokens::TokenStream> training;
  std::unique_ptr<const io::tokens::TokenStream> validation;  ///< null: none
};

/// What a run reads, opened and checked against each other.
struct PretrainInputs {
  std::vector<SourceInput> sources;  ///< in the order of the options' mix
  model::shape::Config config;       ///< of the model to train

  /// The first source's; their tokenizer is the same.
  const io::tokens::TokenStream& training() const { return *sources.front().training; }
  std::uint64_t training_tokens() const;  ///< of all sources
  bool has_mix() const { return !sources.front().name.empty(); }
};

/// Opens the token streams (a pair's train/ and held-out/) and makes the model's shape: that of start, else the preset
/// with the options' changes and the data's vocabulary. Throws io::Error (missing_input, bad_data: also a source or a
/// validation set of another tokenizer, fewer tokens than one window, or data of another tokenizer than start's model)
/// and Error (usage).
PretrainInputs open_inputs(const PretrainOptions& options, const Start& start);

/// What ranks read is the same: a validation set that one of them does not see would let the others wait for it. Throws
/// AgreedError (bad_data). Collective.
void check_same_data(const comm::Communicator& communicator, const PretrainOptions& options,
                     const PretrainInputs& inputs);

/// Re-reads every shard and compares checksums, each rank its share. Throws AgreedError. Collective.
void verify_inputs(const comm::Communicator& communicator, const PretrainInputs& inputs);

}  // namespace chainrule::pipeline::pretrain

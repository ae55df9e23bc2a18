#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "io/tokens/document_table.h"
#include "pipeline/comm/communicator.h"
#include "pipeline/evaluate/options.h"
#include "pipeline/evaluate/plan.h"
#include "pipeline/evaluate/protocol_text.h"
#include "pipeline/models/loaded_model.h"
#include "pipeline/run/environment.h"

namespace chainrule::pipeline::evaluate {

/// A model and data that fit each other, and what is to be done with them.
struct EvaluationInputs {
  models::LoadedModel model;
  std::optional<models::LoadedModel> baseline;  ///< what it is compared with
  std::unique_ptr<const io::tokens::TokenStream> data;
  std::unique_ptr<ProtocolText> texts;
  std::string conditions;                         ///< run::conditions_of
  EvaluationPlan plan;                            ///< of the protocol that was chosen last
  const io::tokens::TokenStream* text = nullptr;  ///< what its windows lie over

  /// The documents that are covered.
  io::tokens::DocumentTable documents() const { return {*text, plan.subject.documents}; }
};

/// The data set or token files at path, which load_tokenizer's tokenizer was used for where they do not say. Throws
/// Error usage for a pair of data sets, and what opening throws.
std::unique_ptr<const io::tokens::TokenStream> open_data(const std::filesystem::path& path,
                                                         const io::tokens::LoadTokenizer& load_tokenizer);

/// Opens and checks model and data, the shards' content included. Throws AgreedError: missing_input or bad_data for a
/// damaged file or tokenizers that differ; usage for a data set pair. Collective.
EvaluationInputs open_model_and_data(const comm::Communicator& communicator, const EvaluateOptions& options,
                                     const run::Environment& environment);

/// Makes plan and text of options.protocol. Returns why it cannot score this data, empty where it can. Throws
/// AgreedError: usage for impossible options, and what making the text throws. Collective.
std::string choose_protocol(const comm::Communicator& communicator, const EvaluateOptions& options,
                            EvaluationInputs& inputs);

/// Both; where the protocol cannot score the data, that is bad_data too. Collective.
EvaluationInputs open_inputs(const comm::Communicator& communicator, const EvaluateOptions& options,
                             const run::Environment& environment);

}  // namespace chainrule::pipeline::evaluate

#pragma once
#include <filesystem>
#include <memory>

#include "io/tokens/document_table.h"
#include "pipeline/comm/communicator.h"
#include "pipeline/evaluate/options.h"
#include "pipeline/evaluate/plan.h"
#include "pipeline/models/loaded_model.h"

namespace chainrule::pipeline::evaluate {

/// A model and data that fit each other, and what is to be done with them.
struct EvaluationInputs {
  models::LoadedModel model;
  std::unique_ptr<const io::tokens::TokenStream> data;
  EvaluationPlan plan;

  /// The documents that are covered.
  io::tokens::DocumentTable documents() const { return {*data, plan.subject.documents}; }
};

/// The data set or token files at path, which load_tokenizer's tokenizer was used for where they do not say. Throws
/// Error usage for a pair of data sets, and what opening throws.
std::unique_ptr<const io::tokens::TokenStream> open_data(const std::filesystem::path& path,
                                                         const io::tokens::LoadTokenizer& load_tokenizer);

/// Opens and checks everything, the shards' content included. Throws AgreedError: missing_input or bad_data for a
/// damaged file, tokenizers that differ, or nothing to score; usage for a data set pair or impossible options.
/// Collective.
EvaluationInputs open_inputs(const comm::Communicator& communicator, const EvaluateOptions& options);

}  // namespace chainrule::pipeline::evaluate

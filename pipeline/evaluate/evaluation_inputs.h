#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/tokens/token_stream.h"
#include "pipeline/comm/communicator.h"
#include "pipeline/evaluate/options.h"
#include "pipeline/evaluate/report/evaluation_report.h"
#include "pipeline/models/loaded_model.h"

namespace chainrule::pipeline::evaluate {

/// A model and data that fit each other, and what is to be done with them.
struct EvaluationInputs {
  models::LoadedModel model;
  std::unique_ptr<const io::tokens::TokenStream> data;
  std::vector<io::tokens::DocumentRecord> documents;  ///< all of data's
  windows::WorkUnitOptions units;
  std::uint64_t covered_documents = 0;  ///< the first so many are evaluated
  std::uint32_t start_token = 0;        ///< what documents are read behind

  std::span<const io::tokens::DocumentRecord> covered() const { return std::span(documents).first(covered_documents); }
  report::EvaluationSubject subject() const;
  /// All that decides what a work unit says, in a line.
  std::string identity() const;
};

/// Opens and checks everything, the shards' content included. Throws AgreedError: missing_input or bad_data for a
/// damaged file, tokenizers that differ, or nothing to score; usage for a data set pair or impossible options.
/// Collective.
EvaluationInputs open_inputs(const comm::Communicator& communicator, const EvaluateOptions& options);

}  // namespace chainrule::pipeline::evaluate

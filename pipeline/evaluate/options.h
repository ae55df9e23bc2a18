#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "model/ops/ops.h"
#include "pipeline/evaluate/scoring/score_corpus.h"
#include "pipeline/evaluate/writers/formats.h"
#include "pipeline/windows/work_units.h"

namespace chainrule::pipeline::evaluate {

/// What a person asks of an evaluation.
struct EvaluateOptions {
  std::filesystem::path model;     ///< a checkpoint or a run directory
  std::filesystem::path baseline;  ///< a model to compare it with; empty: none
  std::filesystem::path data;      ///< one data set
  std::filesystem::path report;    ///< folder to be made
  std::string command;             ///< how it was called, for report.html
  scoring::Part part;              ///< units that are scored; other than all, no report is made but a part of one
  double time_limit_seconds = 0;   ///< stop in time for it, counted from the program's start; 0: none
  bool keep_tokens = false;        ///< the report holds every token's score
  writers::Formats write;          ///< other programs' files that the report holds besides
  bool allow_nonfinite = false;    ///< tokens without a finite result are no failure
  const windows::protocol::Protocol* protocol = &windows::protocol::kDocument;  ///< null: each of them in turn
  std::int64_t context_length = 0;  ///< tokens; 0: the protocol's, else the model's
  std::int64_t stride = 0;          ///< tokens; 0: the protocol's for the context length
  std::int64_t micro_batch = 0;     ///< windows of full length a unit holds; 0: default_micro_batch()
  std::uint64_t max_documents = 0;  ///< evaluate the first so many; 0: all
  model::products::Math math = model::products::Math::float32;
  int threads = 0;  ///< of each rank; 0: see use_threads()
};

/// Throws Error usage where lm-eval's files are asked for of another protocol: its keys name its own numbers.
void require_protocol_of(const writers::Formats& write, const windows::protocol::Protocol& protocol);

/// The work units that options ask for with a model of this context length. Throws Error usage where the context is
/// longer than the model's, or the stride than the context.
windows::WorkUnitOptions resolve(const EvaluateOptions& options, std::int64_t model_context_length);

}  // namespace chainrule::pipeline::evaluate

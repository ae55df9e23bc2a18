#pragma once
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "pipeline/comm/communicator.h"
#include "pipeline/evaluate/evaluation_inputs.h"
#include "pipeline/evaluate/journal/journal.h"
#include "pipeline/evaluate/options.h"
#include "pipeline/evaluate/results.h"
#include "pipeline/evaluate/scoring/score_corpus.h"
#include "pipeline/run/environment.h"

// What an evaluation by one protocol and one by all of them do alike.
namespace chainrule::pipeline::evaluate {

/// environment.json: what the results may depend on, and what they took.
nlohmann::ordered_json environment_json(const run::Environment& environment, const EvaluateOptions& options,
                                        const EvaluationInputs& inputs, const scoring::ScoringWork& work);

/// How the report is written. inputs outlive it.
ResultOptions result_options(const EvaluateOptions& options, const EvaluationInputs& inputs, int ranks);

/// Scores what inputs' plan asks for and journal, which rank 0 has, does not have yet. Throws AgreedError, and what
/// score_corpus throws. Collective.
scoring::ScoringWork score(const comm::Communicator& communicator, const EvaluateOptions& options,
                           const EvaluationInputs& inputs, journal::Journal* journal,
                           const std::function<bool()>& stop);

/// Opens a plan's journal and says so where it has units already. Throws what Journal::open throws.
journal::Journal open_journal(const std::filesystem::path& path, const EvaluationPlan& plan);

/// "what was scored is kept in ...".
std::string kept_in(const journal::Journal& journal);

/// Runs work, which makes something of the journal; where it fails the journal stays, and the message says so. Throws
/// what work throws.
void finish(const journal::Journal& journal, const std::function<void()>& work);

/// Throws AgreedError bad_data where rank 0 counted tokens without a finite result and options do not allow them.
/// Collective.
void refuse_nonfinite(const comm::Communicator& communicator, std::uint64_t on_first, const EvaluateOptions& options);

}  // namespace chainrule::pipeline::evaluate

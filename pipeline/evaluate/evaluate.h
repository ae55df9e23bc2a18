#pragma once
#include <string>

#include "pipeline/comm/communicator.h"
#include "pipeline/evaluate/options.h"
#include "pipeline/failure/exit_code.h"

namespace chainrule::pipeline::evaluate {

/// Evaluates the model on the data: checks everything first, scores, and on rank 0 writes the report folder and prints
/// the table; of a part it writes the part. What is scored lies in a journal until then, so that a run that was stopped
/// or killed is gone on with. program is the build's version text, for environment.json. Returns done, or stopped_early
/// where it was asked to stop. Throws AgreedError for what is found before scoring; bad_data, after the report is
/// written, where some results are not finite. Collective.
failure::ExitCode evaluate(const comm::Communicator& communicator, const EvaluateOptions& options,
                           const std::string& program);

}  // namespace chainrule::pipeline::evaluate

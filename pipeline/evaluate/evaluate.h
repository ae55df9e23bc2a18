#pragma once
#include <string>

#include "pipeline/comm/communicator.h"
#include "pipeline/evaluate/options.h"

namespace chainrule::pipeline::evaluate {

/// Evaluates the model on the data: checks everything first, scores, and on rank 0 writes the report folder and prints
/// the table. program is the build's version text, for environment.json. Throws AgreedError for what is found before
/// scoring; bad_data, after the report is written, where some results are not finite. Collective.
void evaluate(const comm::Communicator& communicator, const EvaluateOptions& options, const std::string& program);

}  // namespace chainrule::pipeline::evaluate

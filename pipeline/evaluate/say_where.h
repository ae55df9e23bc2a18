#pragma once
#include "pipeline/comm/communicator.h"
#include "pipeline/evaluate/evaluation_inputs.h"
#include "pipeline/job/account.h"
#include "pipeline/job/whereabouts.h"

namespace chainrule::pipeline::evaluate {

/// Where the evaluation of inputs' plan runs and what it needs there, which rank 0 says. Throws AgreedError
/// (out_of_memory) where that cannot fit. Collective.
job::Whereabouts say_where(const comm::Communicator& communicator, const EvaluateOptions& options,
                           const EvaluationInputs& inputs, int threads_per_rank);

/// Rank 0 says what it cost. Collective.
void say_cost(const comm::Communicator& communicator, job::Account& account, std::uint64_t tokens);

}  // namespace chainrule::pipeline::evaluate

#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "pipeline/comm/communicator.h"
#include "pipeline/evaluate/evaluation_inputs.h"
#include "pipeline/job/account.h"
#include "pipeline/job/whereabouts.h"

namespace chainrule::pipeline::evaluate {

/// What scoring with a model takes of a rank, in batches of so many rows.
std::vector<job::Need> needs_of(const models::LoadedModel& model, std::int64_t rows);
/// Of inputs' plan, with the baseline where there is one.
std::vector<job::Need> needs_of(const EvaluationInputs& inputs);

/// Where ranks run and what they need there, which rank 0 says. output: where results will lie. Throws AgreedError
/// (out_of_memory) where that cannot fit. Collective.
job::Whereabouts say_where(const comm::Communicator& communicator, std::span<const job::Need> needs,
                           const std::filesystem::path& output, int threads_per_rank);

/// Rank 0 says what it cost; tokens: 0 where they are not counted. Collective.
void say_cost(const comm::Communicator& communicator, job::Account& account, std::uint64_t tokens);

}  // namespace chainrule::pipeline::evaluate

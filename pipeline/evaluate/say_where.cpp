#include "pipeline/evaluate/say_where.h"

#include <vector>

#include "model/decoder/decoder.h"
#include "model/shape/parameters.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::evaluate {
namespace {

/// Files that are mapped are in memory once for all ranks of a node; an arena is each rank's own.
job::Need weights_of(const models::LoadedModel& model, const char* what) {
  if (model.stored) return {what, model.stored->matrix_bytes(), true};
  return {what, static_cast<std::int64_t>(model.parameters.size() * sizeof(float))};
}

std::int64_t workspace_of(const models::LoadedModel& model, std::int64_t rows) {
  return model::decoder::workspace_bytes(model::shape::ParameterTable(model.config),
                                         {rows, model::decoder::Purpose::evaluate});
}

}  // namespace

std::vector<job::Need> needs_of(const models::LoadedModel& model, std::int64_t rows) {
  return {weights_of(model, "weights"), {"workspace", workspace_of(model, rows)}};
}

std::vector<job::Need> needs_of(const EvaluationInputs& inputs) {
  const std::int64_t rows = windows::maximum_unit_rows(inputs.plan.units());
  std::vector<job::Need> needs = needs_of(inputs.model, rows);
  if (inputs.baseline) {
    needs.push_back(weights_of(*inputs.baseline, "the baseline's weights"));
    needs.push_back({"the baseline's workspace", workspace_of(*inputs.baseline, rows)});
  }
  return needs;
}

job::Whereabouts say_where(const comm::Communicator& communicator, std::span<const job::Need> needs,
                           const std::filesystem::path& output, int threads_per_rank) {
  job::Whereabouts here = job::gather_whereabouts(communicator, threads_per_rank);
  comm::agree_on_first(communicator, [&] { job::say_where(here, needs, output); });
  return here;
}

void say_cost(const comm::Communicator& communicator, job::Account& account, std::uint64_t tokens) {
  const job::Cost cost = account.cost(tokens);
  if (communicator.rank() == 0) run::say(job::to_text(cost) + "\n");
}

}  // namespace chainrule::pipeline::evaluate

#include "pipeline/pretrain/exchange/step_exchange.h"

#include <exception>

namespace chainrule::pipeline::pretrain::exchange {

StepExchange::StepExchange(const comm::Communicator& communicator, const LanePlan& plan,
                           const BlockOwnership& ownership, const EmbeddingRows& rows, std::int64_t most_tokens)
    : thread_(communicator.size()),
      reduction_(communicator, plan, ownership),
      gradients_(thread_, communicator, reduction_, ownership, rows, most_tokens),
      parameters_(thread_, communicator, ownership, rows, most_tokens) {}

StepExchange::~StepExchange() {
  if (std::uncaught_exceptions() == 0) finish_sharing();
  thread_.stop();  // before what it works on is gone
}

void StepExchange::expect_inputs(std::span<const std::uint32_t> inputs) {
  if (enabled_) expected_.emplace(inputs.begin(), inputs.end());
}

void StepExchange::gather_expected() {
  if (!expected_ || !parameters_.all_queued()) return;
  gradients_.gather_inputs(*expected_);
  expected_.reset();
}

void StepExchange::ready_but_late_rows(model::shape::ParameterRange) {
  if (enabled_) gradients_.ready_but_late_rows();
}

void StepExchange::await_late_rows(model::shape::ParameterRange) {
  if (enabled_) gradients_.await_late_rows();
}

void StepExchange::ready(model::shape::ParameterRange range) {
  if (enabled_) gradients_.ready(range);
}

void StepExchange::finish_reduction() {
  if (!enabled_) return;
  finish_sharing();  // long over, but on a rank without micro-batches
  gather_expected();
  gradients_.finish();
}

void StepExchange::begin_sharing(std::span<float> parameters, std::span<const std::uint32_t> next_inputs) {
  if (enabled_) parameters_.begin(parameters, next_inputs);
}

void StepExchange::need(model::shape::ParameterRange range) {
  parameters_.need(range);
  gather_expected();
}

void StepExchange::need_rows(model::shape::ParameterRange, std::span<const std::uint32_t> rows) {
  parameters_.need_rows(rows);
}

void StepExchange::finish_sharing() { parameters_.finish(); }

}  // namespace chainrule::pipeline::pretrain::exchange

#include "pipeline/pretrain/exchange/step_exchange.h"

#include <exception>

namespace chainrule::pipeline::pretrain::exchange {

StepExchange::StepExchange(const comm::Communicator& communicator, const Ownership& ownership,
                           const ParameterRows& rows, std::int64_t most_rows)
    : rows_(rows),
      thread_(communicator.size()),
      reduction_(communicator, ownership),
      gradients_(thread_, communicator, reduction_, ownership, rows, most_rows),
      parameters_(thread_, communicator, ownership, rows, most_rows) {}

StepExchange::~StepExchange() {
  if (std::uncaught_exceptions() == 0) finish_sharing();
  thread_.stop();  // before what it works on is gone
}

void StepExchange::expect_rows(std::span<const std::uint32_t> rows) {
  if (enabled_) expected_.emplace(rows.begin(), rows.end());
}

void StepExchange::gather_expected() {
  if (!expected_ || !parameters_.all_queued()) return;
  gradients_.gather_rows(*expected_);
  expected_.reset();
}

void StepExchange::ready_but_late_rows(model::shape::ParameterRange parameter) {
  if (enabled_ && parameter == rows_.all()) gradients_.ready_but_late_rows();
}

void StepExchange::await_late_rows(model::shape::ParameterRange parameter) {
  if (enabled_ && parameter == rows_.all()) gradients_.await_late_rows();
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

void StepExchange::begin_sharing(std::span<float> parameters, std::span<const std::uint32_t> next_rows) {
  if (enabled_) parameters_.begin(parameters, next_rows);
}

void StepExchange::need(model::shape::ParameterRange range) {
  parameters_.need(range);
  gather_expected();
}

void StepExchange::need_rows(model::shape::ParameterRange parameter, std::span<const std::uint32_t> rows) {
  if (parameter == rows_.all()) {
    parameters_.need_rows(rows);
  } else {
    parameters_.need(parameter);
  }
}

void StepExchange::finish_sharing() { parameters_.finish(); }

}  // namespace chainrule::pipeline::pretrain::exchange

#include "pipeline/pretrain/exchange/step_exchange.h"

#include <exception>

#include "pipeline/pretrain/exchange/lane_reduction.h"
#include "pipeline/pretrain/exchange/round_reduction.h"

namespace chainrule::pipeline::pretrain::exchange {

namespace {

std::unique_ptr<GradientReduction> make_reduction(const comm::Communicator& communicator, const Ownership& ownership,
                                                  const ParameterRows& rows, const StepExchangeOptions& options) {
  if (options.stage == ZeroStage::two) {
    return std::make_unique<RoundReduction>(communicator, ownership, options.lanes, rows.all());
  }
  return std::make_unique<LaneReduction>(communicator, ownership, options.lanes);
}

}  // namespace

StepExchange::StepExchange(const comm::Communicator& communicator, const Ownership& ownership,
                           const ParameterRows& rows, const StepExchangeOptions& options)
    : rows_(rows),
      thread_(communicator.size()),
      reduction_(make_reduction(communicator, ownership, rows, options)),
      gradients_(thread_, communicator, *reduction_, ownership, rows, options.most_rows, options.most_ahead),
      parameters_(thread_, communicator, ownership, rows, options.most_rows) {}

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

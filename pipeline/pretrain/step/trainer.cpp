#include "pipeline/pretrain/step/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "model/shape/initialise.h"
#include "pipeline/pretrain/exchange/backward_window.h"
#include "pipeline/pretrain/optimizer/sharded_adamw.h"
#include "pipeline/run/activity.h"

namespace chainrule::pipeline::pretrain::step {
namespace {

std::int64_t rows_of(const TrainerOptions& options, const model::shape::Config& config) {
  return options.micro_batch * config.sequence_length;
}

/// The one parameter whose rows are late in backward: the batch's inputs name them.
exchange::ParameterRows late_rows(const model::shape::ParameterTable& table) {
  return {table, table.find("token_embedding.weight")};
}

exchange::StepExchangeOptions exchange_options(const TrainerOptions& options, const model::shape::Config& config,
                                               const model::shape::ParameterTable& table,
                                               const exchange::Ownership& ownership) {
  exchange::StepExchangeOptions exchange = {
      .stage = options.zero_stage, .lanes = options.lanes, .most_rows = rows_of(options, config)};
  if (options.zero_stage == exchange::ZeroStage::two) {
    exchange.most_ahead = exchange::backward_window(table, ownership).most_ahead;
  }
  return exchange;
}

}  // namespace

double gradient_scale(std::int64_t tokens, double gradient_sum_norm, double clip_norm) {
  const double mean = 1.0 / static_cast<double>(tokens);
  const double norm = gradient_sum_norm * mean;
  return clip_norm > 0 && norm > clip_norm ? mean * (clip_norm / norm) : mean;
}

Trainer::Trainer(const comm::Communicator& communicator, const comm::Communicator& exchange,
                 const model::shape::Config& config, const TrainerOptions& options,
                 const windows::SampleSource& samples)
    : communicator_(communicator),
      options_(options),
      ops_(model::ops::make_fast_ops(options.math)),
      decoder_(config,
               {.maximum_rows = rows_of(options, config),
                .purpose = model::decoder::Purpose::train,
                .recompute = options.recompute,
                .z_loss = options.z_loss},
               *ops_),
      ownership_(decoder_.table().arena_size(), communicator.size()),
      optimizer_(std::make_unique<optimizer::ShardedAdamW>(communicator, ownership_, decoder_.table().decay_ranges(),
                                                           options.adamw)),
      parameters_(decoder_.table().arena_size()),
      exchange_(exchange, ownership_, late_rows(decoder_.table()),
                exchange_options(options, config, decoder_.table(), ownership_)),
      reader_(samples, options.micro_batch, config.sequence_length),
      nll_(static_cast<std::size_t>(rows_of(options, config))) {
  model::shape::initialise(config, decoder_.table(), options.seed, parameters_.span());
  if (options.average_decay) average_.emplace(ownership_, communicator.rank(), *options.average_decay);
  begin_average();
  for (const std::int64_t batch : options.batches.all()) {
    exchange_.reduction().make_room(batch / options.micro_batch);
  }
}

void Trainer::plan_step() {
  const std::int64_t batch = next_batch();
  if (batch == planned_batch_) return;
  planned_batch_ = batch;
  exchange_.reduction().plan(batch / options_.micro_batch);
  order_.clear();
  for (const exchange::Pass& pass : exchange_.reduction().passes()) {
    if (pass.micro_batch) order_.push_back(*pass.micro_batch);
  }
  // The next step's first; of a larger batch perhaps not quite, which costs time only.
  if (!order_.empty()) order_.push_back(order_.front() + batch / options_.micro_batch);
}

void Trainer::set_progress(std::int64_t steps_taken, std::uint64_t samples_consumed) {
  steps_taken_ = steps_taken;
  samples_consumed_ = samples_consumed;
}

model::Arena& Trainer::parameters() {
  exchange_.finish_sharing();
  return parameters_;
}

void Trainer::begin_average() {
  if (average_) average_->begin(parameters().span());
}

void Trainer::exchange_alone() {
  exchange::GradientReduction& reduction = exchange_.reduction();
  for (std::size_t pass = 0; pass < reduction.passes().size(); ++pass) {
    if (!reduction.passes()[pass].exchanged) continue;
    reduction.begin_pass(pass);
    exchange_.finish_reduction();
  }
  exchange_.begin_sharing(parameters_.span(), {});
  exchange_.finish_sharing();
}

void Trainer::run_micro_batch(const exchange::Pass& pass, std::int64_t next, std::span<float> gradients,
                              comm::ExactSum& nll) {
  const auto first_sample = [this](std::int64_t micro_batch) {
    return samples_consumed_ + static_cast<std::uint64_t>(micro_batch * options_.micro_batch);
  };
  run::Activity::advance();
  const model::ops::Batch batch = reader_.take(first_sample(*pass.micro_batch), first_sample(next));
  if (pass.exchanged) exchange_.expect_rows(batch.inputs);
  const auto accumulate = pass.accumulates ? model::decoder::Accumulate::yes : model::decoder::Accumulate::no;
  decoder_.train(parameters_.span(), batch, gradients, accumulate, nll_, &exchange_,
                 pass.exchanged ? &exchange_ : nullptr);
  for (const double value : nll_) nll.add(value);
}

comm::ExactSum Trainer::sum_gradients() {
  comm::ExactSum nll;
  exchange::GradientReduction& reduction = exchange_.reduction();
  std::size_t taken = 0;
  for (std::size_t index = 0; index < reduction.passes().size(); ++index) {
    const exchange::Pass& pass = reduction.passes()[index];
    const std::span<float> gradients = reduction.begin_pass(index);
    if (pass.micro_batch) {
      run_micro_batch(pass, order_[++taken], gradients, nll);
    } else {
      exchange_.expect_rows({});
    }
    reduction.end_pass(index);
    if (pass.exchanged) exchange_.finish_reduction();
  }
  return nll;
}

void Trainer::update_parameters(StepOutcome& outcome) {
  const std::span<const float> gradients = exchange_.reduction().gradients();
  const double sum_norm = optimizer_->gradient_norm(gradients);
  if (!std::isfinite(sum_norm)) {
    outcome.status = StepStatus::nonfinite_gradient;
    return;
  }
  outcome.gradient_norm = sum_norm / static_cast<double>(outcome.tokens);
  if (options_.skip_outliers) judge(outcome);
  if (outcome.status != StepStatus::updated) return;
  outcome.learning_rate = model::optimizer::learning_rate_at(options_.schedule, outcome.step);
  optimizer_->update(
      {outcome.step, outcome.learning_rate, gradient_scale(outcome.tokens, sum_norm, options_.clip_norm)}, gradients,
      parameters_.span());
  if (average_) average_->update(parameters_.span());
}

void Trainer::judge(StepOutcome& outcome) {
  const auto is_outlier = [&](RecentValues& recent, double value) {
    const std::optional<double> limit = recent.limit();
    recent.add(value);
    if (limit && value > *limit) outcome.outlier_limit = *limit;
    return limit && value > *limit;
  };
  const bool gradient = is_outlier(recent_.gradient_norms, outcome.gradient_norm);
  const bool loss = is_outlier(recent_.losses, outcome.loss_nats);
  outcome.status = loss ? StepStatus::outlier_loss : gradient ? StepStatus::outlier_gradient : StepStatus::updated;
}

void Trainer::advance() {
  samples_consumed_ += static_cast<std::uint64_t>(next_batch());
  ++steps_taken_;
}

StepOutcome Trainer::step(const StepRequests& requests) {
  const auto began = std::chrono::steady_clock::now();
  plan_step();
  const comm::ExactSum mine = sum_gradients();
  const double summing_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  std::int64_t ranks_that[] = {requests.stop ? 1 : 0, requests.save ? 1 : 0, requests.saved ? 1 : 0};
  const comm::ExactSum nll = comm::sum_over_ranks(communicator_, mine, ranks_that);
  const auto summed = std::chrono::steady_clock::now();
  StepOutcome outcome;
  outcome.step = steps_taken_ + 1;
  outcome.own_micro_batches = order_.empty() ? 0 : static_cast<std::int64_t>(order_.size()) - 1;
  outcome.tokens = static_cast<std::int64_t>(nll.count());
  outcome.nonfinite_tokens = static_cast<std::int64_t>(nll.nonfinite());
  outcome.requests = {
      .stop = ranks_that[0] != 0, .save = ranks_that[1] != 0, .saved = ranks_that[2] == communicator_.size()};
  if (outcome.nonfinite_tokens != 0) {
    outcome.status = StepStatus::nonfinite_loss;
  } else {
    outcome.loss_nats = nll.nats() / static_cast<double>(nll.count());
    update_parameters(outcome);
  }
  outcome.optimizer_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - summed).count();
  if (outcome.status == StepStatus::updated) {
    exchange_.begin_sharing(parameters_.span(), reader_.ahead());
    advance();
  }
  outcome.exchange_seconds = exchange_.take_waited_seconds();
  outcome.compute_seconds = std::max(0.0, summing_seconds - outcome.exchange_seconds);
  outcome.read_seconds = reader_.take_waited_seconds();
  return outcome;
}

}  // namespace chainrule::pipeline::pretrain::step

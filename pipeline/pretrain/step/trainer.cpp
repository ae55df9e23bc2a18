#include "pipeline/pretrain/step/trainer.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "model/shape/initialise.h"
#include "pipeline/failure/error.h"

namespace chainrule::pipeline::pretrain::step {
namespace {

std::int64_t rows_of(const TrainerOptions& options, const model::shape::Config& config) {
  return options.micro_batch * config.sequence_length;
}

[[noreturn]] void diverged(std::int64_t step, const std::string& what) {
  throw failure::AgreedError(
      failure::ExitCode::bad_data,
      fmt::format("step {}: {}; the weights were not updated, and earlier checkpoints are intact", step, what));
}

}  // namespace

double gradient_scale(std::int64_t tokens, double gradient_sum_norm, double clip_norm) {
  const double mean = 1.0 / static_cast<double>(tokens);
  const double norm = gradient_sum_norm * mean;
  return clip_norm > 0 && norm > clip_norm ? mean * (clip_norm / norm) : mean;
}

Trainer::Trainer(const comm::Communicator& communicator, const comm::Communicator& exchange,
                 const model::shape::Config& config, const TrainerOptions& options, const windows::Windows& windows)
    : communicator_(communicator),
      options_(options),
      ops_(model::ops::make_fast_ops(options.math)),
      decoder_(config,
               {.maximum_rows = rows_of(options, config),
                .purpose = model::decoder::Purpose::train,
                .recompute = options.recompute},
               *ops_),
      ownership_(decoder_.table().arena_size(), communicator.size()),
      optimizer_(communicator, decoder_.table(), ownership_),
      parameters_(decoder_.table().arena_size()),
      exchange_(exchange,
                exchange::LanePlan(options.global_batch / options.micro_batch, options.lanes, communicator.size()),
                ownership_, exchange::EmbeddingRows(decoder_.table()), rows_of(options, config)),
      reader_(windows, options.seed, options.micro_batch, config.sequence_length),
      nll_(static_cast<std::size_t>(rows_of(options, config))) {
  model::shape::initialise(config, decoder_.table(), options.seed, parameters_.span());
  const std::int64_t micro_batches = options.global_batch / options.micro_batch;
  for (const exchange::LaneTurn& turn : exchange_.reduction().turns()) {
    for (auto index = turn.micro_batches.begin; index < turn.micro_batches.end; ++index) order_.push_back(index);
  }
  if (!order_.empty()) order_.push_back(order_.front() + micro_batches);  // the next step's first
}

void Trainer::set_progress(std::int64_t steps_taken, std::uint64_t samples_consumed) {
  steps_taken_ = steps_taken;
  samples_consumed_ = samples_consumed;
}

model::Arena& Trainer::parameters() {
  exchange_.finish_sharing();
  return parameters_;
}

void Trainer::exchange_alone() {
  exchange_.finish_reduction();
  exchange_.begin_sharing(parameters_.span(), {});
  exchange_.finish_sharing();
}

void Trainer::run_micro_batch(std::int64_t index, std::int64_t next, std::span<float> gradients,
                              model::decoder::Accumulate accumulate, comm::ExactSum& nll, bool last) {
  const auto first_sample = [this](std::int64_t micro_batch) {
    return samples_consumed_ + static_cast<std::uint64_t>(micro_batch * options_.micro_batch);
  };
  const model::ops::Batch batch = reader_.take(first_sample(index), first_sample(next));
  if (last) exchange_.expect_inputs(batch.inputs);
  decoder_.train(parameters_.span(), batch, gradients, accumulate, nll_, &exchange_, last ? &exchange_ : nullptr);
  for (const double value : nll_) nll.add(value);
}

StepReport Trainer::step(bool stop_requested) {
  comm::ExactSum mine;
  exchange::LaneReduction& reduction = exchange_.reduction();
  std::size_t taken = 0;
  for (std::size_t turn = 0; turn < reduction.turns().size(); ++turn) {
    const std::span<float> gradients = reduction.arena(turn);
    auto accumulate = model::decoder::Accumulate::no;
    for (std::int64_t left = reduction.turns()[turn].micro_batches.size(); left > 0; --left, ++taken) {
      const bool last = taken + 2 == order_.size();
      run_micro_batch(order_[taken], order_[taken + 1], gradients, accumulate, mine, last);
      accumulate = model::decoder::Accumulate::yes;
    }
    reduction.finish(turn);
  }
  if (order_.empty()) exchange_.expect_inputs({});
  exchange_.finish_reduction();
  std::int64_t stops = stop_requested ? 1 : 0;
  const comm::ExactSum nll = comm::sum_over_ranks(communicator_, mine, std::span(&stops, 1));
  const auto summed = std::chrono::steady_clock::now();
  const std::int64_t step = steps_taken_ + 1;
  if (nll.nonfinite() != 0) {
    diverged(step,
             fmt::format("the loss of {} of {} tokens is not finite", nll.nonfinite(), nll.nonfinite() + nll.count()));
  }
  const double sum_norm = optimizer_.gradient_norm(reduction.gradients());
  if (!std::isfinite(sum_norm)) diverged(step, "the gradient's norm is not finite");

  StepReport report;
  report.tokens = static_cast<std::int64_t>(nll.count());
  report.loss_nats = nll.nats() / static_cast<double>(nll.count());
  report.gradient_norm = sum_norm / static_cast<double>(nll.count());
  report.learning_rate = model::optimizer::learning_rate_at(options_.schedule, step);
  report.stop = stops != 0;
  model::optimizer::AdamWOptions adamw = options_.adamw;
  adamw.learning_rate = report.learning_rate;
  optimizer_.update(adamw, step, gradient_scale(report.tokens, sum_norm, options_.clip_norm), reduction.gradients(),
                    parameters_.span());
  report.optimizer_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - summed).count();
  exchange_.begin_sharing(parameters_.span(), reader_.ahead());
  report.exchange_seconds = exchange_.take_waited_seconds();
  report.read_seconds = reader_.take_waited_seconds();
  steps_taken_ = step;
  samples_consumed_ += static_cast<std::uint64_t>(options_.global_batch);
  return report;
}

}  // namespace chainrule::pipeline::pretrain::step

#include "pipeline/pretrain/trainer.h"

#include <fmt/format.h>

#include <cmath>

#include "pipeline/error.h"

namespace chainrule::pipeline {
namespace {

std::int64_t rows_of(const TrainerOptions& options, const model::Config& config) {
  return options.micro_batch * config.sequence_length;
}

[[noreturn]] void diverged(std::int64_t step, const std::string& what) {
  throw AgreedError(
      ExitCode::bad_data,
      fmt::format("step {}: {}; the weights were not updated, and earlier checkpoints are intact", step, what));
}

}  // namespace

double gradient_scale(std::int64_t tokens, double gradient_sum_norm, double clip_norm) {
  const double mean = 1.0 / static_cast<double>(tokens);
  const double norm = gradient_sum_norm * mean;
  return clip_norm > 0 && norm > clip_norm ? mean * (clip_norm / norm) : mean;
}

Trainer::Trainer(const Communicator& communicator, const model::Config& config, const TrainerOptions& options,
                 const Windows& windows)
    : communicator_(communicator),
      options_(options),
      windows_(windows),
      ops_(model::make_fast_ops(options.math)),
      decoder_(
          config,
          {.maximum_rows = rows_of(options, config), .purpose = model::Purpose::train, .recompute = options.recompute},
          *ops_),
      order_(options.seed, windows.whole_count()),
      ownership_(decoder_.table().arena_size(), communicator.size()),
      optimizer_(communicator, decoder_.table(), ownership_),
      parameters_(decoder_.table().arena_size()),
      exchange_(communicator, LanePlan(options.global_batch / options.micro_batch, options.lanes, communicator.size()),
                ownership_),
      inputs_(static_cast<std::size_t>(rows_of(options, config))),
      targets_(inputs_.size()),
      nll_(inputs_.size()) {
  model::initialise(config, decoder_.table(), options.seed, parameters_.span());
  for (std::int64_t i = 0; i < options.micro_batch; ++i) {
    sequences_.push_back({i * config.sequence_length, config.sequence_length});
  }
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
  exchange_.begin_sharing(parameters_.span());
  exchange_.finish_sharing();
}

void Trainer::run_micro_batch(std::int64_t index, std::span<float> gradients, ExactSum& nll,
                              model::GradientSink* sink) {
  const auto length = static_cast<std::size_t>(decoder_.config().sequence_length);
  for (std::int64_t i = 0; i < options_.micro_batch; ++i) {
    const auto sample = samples_consumed_ + static_cast<std::uint64_t>(index * options_.micro_batch + i);
    const std::size_t row = static_cast<std::size_t>(i) * length;
    windows_.read(order_.window_of(sample), std::span(inputs_).subspan(row, length),
                  std::span(targets_).subspan(row, length));
  }
  decoder_.train(parameters_.span(), {inputs_, targets_, sequences_}, gradients, nll_, &exchange_, sink);
  for (const double value : nll_) nll.add(value);
}

StepReport Trainer::step(bool stop_requested) {
  ExactSum mine;
  LaneReduction& reduction = exchange_.reduction();
  for (std::size_t turn = 0; turn < reduction.turns().size(); ++turn) {
    const bool last_turn = turn + 1 == reduction.turns().size();
    const std::span<float> gradients = reduction.begin(turn);
    const IndexRange micro_batches = reduction.turns()[turn].micro_batches;
    for (auto index = micro_batches.begin; index < micro_batches.end; ++index) {
      const bool last = last_turn && index + 1 == micro_batches.end;
      run_micro_batch(index, gradients, mine, last ? &exchange_ : nullptr);
    }
    reduction.finish(turn);
  }
  exchange_.finish_reduction();
  std::int64_t stops = stop_requested ? 1 : 0;
  const ExactSum nll = sum_over_ranks(communicator_, mine, std::span(&stops, 1));
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
  report.learning_rate = model::learning_rate_at(options_.schedule, step);
  report.stop = stops != 0;
  model::AdamWOptions adamw = options_.adamw;
  adamw.learning_rate = report.learning_rate;
  optimizer_.update(adamw, step, gradient_scale(report.tokens, sum_norm, options_.clip_norm), reduction.gradients(),
                    parameters_.span());
  exchange_.begin_sharing(parameters_.span());
  report.exchange_seconds = exchange_.take_waited_seconds();
  steps_taken_ = step;
  samples_consumed_ += static_cast<std::uint64_t>(options_.global_batch);
  return report;
}

}  // namespace chainrule::pipeline

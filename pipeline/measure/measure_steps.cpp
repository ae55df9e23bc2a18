#include <fmt/format.h>

#include <array>
#include <memory>
#include <vector>

#include "model/decoder/decoder.h"
#include "pipeline/failure/error.h"
#include "pipeline/measure/measures.h"
#include "pipeline/measure/peak/machine_peak.h"
#include "pipeline/measure/process_memory.h"
#include "pipeline/measure/random_batch.h"
#include "pipeline/measure/step_products.h"
#include "pipeline/measure/timing.h"
#include "pipeline/pretrain/step/trainer.h"

namespace chainrule::pipeline::measure {
namespace {

/// The slowest rank's seconds: the job waits for it.
double slowest(const comm::Communicator& communicator, double seconds) {
  return static_cast<double>(communicator.maximum(static_cast<std::int64_t>(seconds * 1e9))) * 1e-9;
}

double sum_over_ranks(const comm::Communicator& communicator, double value) {
  std::array<std::int64_t, 1> fixed = {static_cast<std::int64_t>(value)};
  communicator.sum(fixed);
  return static_cast<double>(fixed[0]);
}

}  // namespace

void measure_steps(const comm::Communicator& communicator, const comm::Communicator& exchange,
                   const BenchmarkOptions& options, const windows::Windows& windows, BenchmarkResult& result) {
  const model::shape::Config& config = options.config;
  const std::int64_t rows = options.micro_batch * config.sequence_length;
  reset_peak_memory();
  pretrain::step::TrainerOptions training;
  training.micro_batch = options.micro_batch;
  training.batches = windows::BatchSizes(options.global_batch);
  training.lanes = pretrain::exchange::default_lanes(communicator.size());
  training.schedule = {.learning_rate = 1e-4, .minimum_learning_rate = 1e-5, .warmup_steps = 10, .steps = 1000};
  training.clip_norm = 1;
  training.math = options.math;
  training.recompute = options.recompute;
  training.zero_stage = options.zero_stage;
  const windows::PermutedWindows samples(windows, training.seed);
  pretrain::step::Trainer trainer(communicator, exchange, config, training, samples);
  const auto step = [&] {
    const pretrain::step::StepOutcome outcome = trainer.step({});
    if (const std::string why = describe_failure(outcome); !why.empty()) {
      throw failure::AgreedError(failure::ExitCode::bad_data, fmt::format("step {}: {}", outcome.step, why));
    }
    return outcome;
  };
  step();
  result.train_peak_memory_bytes = communicator.maximum(peak_memory_bytes());

  const auto ops = model::ops::make_fast_ops(options.math);
  const auto onednn_ops = model::ops::make_onednn_ops(options.math);
  StepProducts onednn_products(config, rows, *onednn_ops);
  StepProducts products(config, rows, *ops);
  RandomBatch random(config, options.micro_batch);
  model::decoder::Decoder decoder(config, {.maximum_rows = rows}, *ops);
  const auto evaluation_step = [&] {
    const std::span<const float> parameters = trainer.parameters().span();
    communicator.barrier();
    return slowest(communicator, seconds_of([&] { decoder.score(parameters, random.batch(), random.scores.view()); }));
  };
  evaluation_step();  // builds primitives
  std::vector<double> peak, train, waited, read, optimizer, evaluate, alone, without;
  for (int round = 0; round < options.rounds; ++round) {
    communicator.barrier();
    peak.push_back(peak::measure_peak_flops(0.1));
    communicator.barrier();
    onednn_products.measure(1);
    communicator.barrier();
    products.measure(1);
    communicator.barrier();
    // A step hides the sharing of the one before it: that one must have just been.
    if (communicator.size() > 1) step();
    pretrain::step::StepOutcome outcome;
    train.push_back(slowest(communicator, seconds_of([&] { outcome = step(); })));
    waited.push_back(outcome.exchange_seconds);
    read.push_back(outcome.read_seconds);
    optimizer.push_back(outcome.optimizer_seconds);
    evaluate.push_back(evaluation_step());
    if (communicator.size() == 1) continue;
    trainer.set_exchange(false);
    communicator.barrier();
    without.push_back(slowest(communicator, seconds_of(step)));
    trainer.set_exchange(true);
    communicator.barrier();
    alone.push_back(slowest(communicator, seconds_of([&] { trainer.exchange_alone(); })));
  }
  if (communicator.size() > 1) {
    result.step_without_exchange_seconds = median(without);
    result.exchange_alone_seconds = median(alone);
  }
  const double flops = model::shape::forward_flops_per_token(config, config.sequence_length);
  const auto ranks = static_cast<double>(communicator.size());
  result.peak_gflops = sum_over_ranks(communicator, median(peak)) / 1e9;
  const auto rate = [&](const StepProducts& of, bool with_backward) {
    return sum_over_ranks(communicator, of.flops(with_backward) / of.seconds(with_backward)) / 1e9;
  };
  result.matmul_gflops = rate(onednn_products, true);
  result.matmul_forward_gflops = rate(onednn_products, false);
  result.product_gflops = rate(products, true);
  result.product_forward_gflops = rate(products, false);
  result.train_step_seconds = median(train);
  result.reduction_seconds = median(waited);
  result.read_wait_seconds = median(read);
  result.optimizer_seconds = median(optimizer);
  result.train_tokens_per_second =
      static_cast<double>(options.global_batch * config.sequence_length) / result.train_step_seconds;
  result.train_gflops = result.train_tokens_per_second * 3 * flops / 1e9;
  result.evaluate_tokens_per_second = static_cast<double>(rows) * ranks / median(evaluate);
  result.evaluate_gflops = result.evaluate_tokens_per_second * flops / 1e9;
}

}  // namespace chainrule::pipeline::measure

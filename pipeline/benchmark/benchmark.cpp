#include "pipeline/benchmark/benchmark.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <numeric>
#include <random>

#include "io/files/atomic_file.h"
#include "io/tokenizer/tokenizer.h"
#include "io/tokenizer/trainer.h"
#include "model/decoder.h"
#include "model/machine_peak.h"
#include "model/ops/timed_ops.h"
#include "model/step_products.h"
#include "pipeline/agreement.h"
#include "pipeline/benchmark/process_memory.h"
#include "pipeline/benchmark/synthetic_data.h"
#include "pipeline/pretrain/trainer.h"
#include "pipeline/threads.h"
#include "pipeline/windows.h"

namespace chainrule::pipeline {
namespace {

using Clock = std::chrono::steady_clock;

template <typename Work>
double seconds_of(Work&& work) {
  const auto started = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - started).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// The slowest rank's seconds: the job waits for it.
double slowest(const Communicator& communicator, double seconds) {
  return static_cast<double>(communicator.maximum(static_cast<std::int64_t>(seconds * 1e9))) * 1e-9;
}

double sum_over_ranks(const Communicator& communicator, double value) {
  std::array<std::int64_t, 1> fixed = {static_cast<std::int64_t>(value)};
  communicator.sum(fixed);
  return static_cast<double>(fixed[0]);
}

/// One micro-batch of random tokens.
struct RandomBatch {
  RandomBatch(const model::Config& config, std::int64_t micro_batch)
      : inputs(static_cast<std::size_t>(micro_batch * config.sequence_length)),
        targets(inputs.size()),
        nll(inputs.size()) {
    std::mt19937 random(1);
    std::uniform_int_distribution<std::uint32_t> any(0, static_cast<std::uint32_t>(config.vocabulary_size) - 1);
    for (auto& token : inputs) token = any(random);
    for (auto& token : targets) token = any(random);
    for (std::int64_t i = 0; i < micro_batch; ++i) {
      sequences.push_back({i * config.sequence_length, config.sequence_length});
    }
  }
  model::Batch batch() const { return {inputs, targets, sequences}; }

  std::vector<std::uint32_t> inputs, targets;
  std::vector<model::Sequence> sequences;
  std::vector<double> nll;
};

/// Peak memory of evaluation alone; and where the time of one micro-batch goes, in both.
void profile(const BenchmarkOptions& options, BenchmarkResult& result) {
  const model::Config& config = options.config;
  const std::int64_t rows = options.micro_batch * config.sequence_length;
  const auto inner = model::make_fast_ops(options.math);
  model::TimedOps ops(*inner);
  RandomBatch random(config, options.micro_batch);
  const model::ParameterTable table(config);
  result.ops.resize(model::kOpKinds);
  for (std::size_t kind = 0; kind < model::kOpKinds; ++kind) {
    result.ops[kind].name = model::name_of(static_cast<model::OpKind>(kind));
  }
  reset_peak_memory();
  model::Arena parameters(table.arena_size());
  model::initialise(config, table, 1, parameters.span());
  const auto profile_one = [&](auto&& step, double OpTime::*seconds) {
    step();  // builds primitives
    ops.reset();
    step();
    for (std::size_t kind = 0; kind < model::kOpKinds; ++kind) {
      result.ops[kind].*seconds = ops.seconds(static_cast<model::OpKind>(kind));
    }
  };
  {
    model::Decoder decoder(config, {rows, model::Purpose::evaluate, false}, ops);
    profile_one([&] { decoder.score(parameters.span(), random.batch(), random.nll); }, &OpTime::evaluate_seconds);
    result.evaluate_peak_memory_bytes = peak_memory_bytes();
  }
  model::Decoder decoder(config, {rows, model::Purpose::train, options.recompute}, ops);
  model::Arena gradients(table.arena_size());
  profile_one([&] { decoder.train(parameters.span(), random.batch(), gradients.span(), random.nll); },
              &OpTime::train_seconds);
}

/// Rates of the peak, the products, training and evaluation, each measured once a round.
void measure_rates(const Communicator& communicator, const BenchmarkOptions& options, const Windows& windows,
                   BenchmarkResult& result) {
  const model::Config& config = options.config;
  const std::int64_t rows = options.micro_batch * config.sequence_length;
  reset_peak_memory();
  TrainerOptions training;
  training.micro_batch = options.micro_batch;
  training.global_batch = options.global_batch;
  training.lanes = default_lanes(communicator.size());
  training.schedule = {1e-4, 1e-5, 10, 1000};
  training.clip_norm = 1;
  training.math = options.math;
  training.recompute = options.recompute;
  Trainer trainer(communicator, config, training, windows);
  trainer.step(false);
  result.train_peak_memory_bytes = communicator.maximum(peak_memory_bytes());

  const auto ops = model::make_fast_ops(options.math);
  model::StepProducts products(config, rows, *ops);
  RandomBatch random(config, options.micro_batch);
  model::Decoder decoder(config, {rows, model::Purpose::evaluate, false}, *ops);
  std::vector<double> peak, train, waited, evaluate;
  for (int round = 0; round < options.rounds; ++round) {
    communicator.barrier();
    peak.push_back(model::measure_peak_flops(0.1));
    communicator.barrier();
    products.measure(1);
    communicator.barrier();
    StepReport report;
    train.push_back(slowest(communicator, seconds_of([&] { report = trainer.step(false); })));
    waited.push_back(report.exchange_seconds);
    communicator.barrier();
    const double seconds = seconds_of([&] { decoder.score(trainer.parameters().span(), random.batch(), random.nll); });
    if (round == 0) continue;  // its first pass built primitives
    evaluate.push_back(slowest(communicator, seconds));
  }
  if (evaluate.empty()) {
    evaluate.push_back(slowest(
        communicator, seconds_of([&] { decoder.score(trainer.parameters().span(), random.batch(), random.nll); })));
  }
  const double flops = model::forward_flops_per_token(config, config.sequence_length);
  const auto ranks = static_cast<double>(communicator.size());
  result.peak_gflops = sum_over_ranks(communicator, median(peak)) / 1e9;
  result.matmul_gflops = sum_over_ranks(communicator, products.flops(true) / products.seconds(true)) / 1e9;
  result.matmul_forward_gflops = sum_over_ranks(communicator, products.flops(false) / products.seconds(false)) / 1e9;
  result.train_step_seconds = median(train);
  result.reduction_seconds = median(waited);
  result.train_tokens_per_second =
      static_cast<double>(options.global_batch * config.sequence_length) / result.train_step_seconds;
  result.train_gflops = result.train_tokens_per_second * 3 * flops / 1e9;
  result.evaluate_tokens_per_second = static_cast<double>(rows) * ranks / median(evaluate);
  result.evaluate_gflops = result.evaluate_tokens_per_second * flops / 1e9;
}

void measure_reading(const io::DataSet& data, const Windows& windows, const model::Config& config, int rounds,
                     BenchmarkResult& result) {
  std::vector<double> rates;
  std::vector<std::uint32_t> block(std::size_t{1} << 20U);
  for (int round = 0; round < rounds; ++round) {
    const double seconds = seconds_of([&] {
      for (std::uint64_t at = 0; at < data.token_count(); at += block.size()) {
        data.read(at, std::span(block).first(std::min<std::uint64_t>(block.size(), data.token_count() - at)));
      }
    });
    rates.push_back(static_cast<double>(data.token_count()) / seconds);
  }
  result.read_tokens_per_second = median(rates);
  const auto length = static_cast<std::size_t>(config.sequence_length);
  std::vector<std::uint32_t> inputs(length);
  std::vector<std::uint32_t> targets(length);
  const SampleOrder order(1, windows.whole_count());
  constexpr std::uint64_t kReads = 200;
  const double seconds = seconds_of([&] {
    for (std::uint64_t sample = 0; sample < kReads; ++sample) windows.read(order.window_of(sample), inputs, targets);
  });
  result.window_read_seconds = seconds / static_cast<double>(kReads);
}

void measure_tokenizing(const BenchmarkOptions& options, BenchmarkResult& result) {
  const std::string text = options.text.empty() ? generated_text(8'000'000) : io::read_file(options.text);
  const auto tokenizer = [&] {
    if (!options.tokenizer.empty()) return io::Tokenizer::load(options.tokenizer);
    io::TokenizerTrainer trainer;
    trainer.add(std::string_view(text).substr(0, 1'000'000));
    return trainer.train(4096, [](std::uint32_t) {});
  }();
  std::vector<io::TokenId> ids;
  std::vector<double> rates;
  for (int round = 0; round < options.rounds; ++round) {
    ids.clear();
    rates.push_back(static_cast<double>(text.size()) / 1e6 / seconds_of([&] { tokenizer.encode(text, ids); }));
  }
  result.tokenize_megabytes_per_second = median(rates);
  result.tokenize_subject = fmt::format(
      "{} on {}", options.tokenizer.empty() ? "a tokenizer of 4,096 trained for it" : options.tokenizer.string(),
      options.text.empty() ? "generated text" : options.text.string());
}

}  // namespace

BenchmarkResult run_benchmark(const Communicator& communicator, const BenchmarkOptions& options) {
  BenchmarkResult result;
  result.ranks = communicator.size();
  result.threads = use_threads(communicator, options.threads);
  agree_on_first(communicator, [&] { measure_tokenizing(options, result); });
  agree(communicator, [&] { profile(options, result); });

  // Enough windows for permuted reads to be what they are in training; every rank writes its own copy.
  std::unique_ptr<TemporaryFolder> folder;
  std::unique_ptr<io::DataSet> data;
  agree(communicator, [&] {
    folder = std::make_unique<TemporaryFolder>();
    const auto tokens = std::max<std::int64_t>(
        20'000'000, 2 * std::max(options.global_batch, std::int64_t{1}) * options.config.sequence_length);
    write_random_data_set(folder->path(), static_cast<std::uint32_t>(options.config.vocabulary_size),
                          static_cast<std::uint64_t>(tokens));
    data = std::make_unique<io::DataSet>(io::DataSet::open(folder->path()));
  });
  const Windows windows(*data, options.config.sequence_length);
  agree_on_first(communicator, [&] { measure_reading(*data, windows, options.config, options.rounds, result); });
  measure_rates(communicator, options, windows, result);
  return result;
}

}  // namespace chainrule::pipeline

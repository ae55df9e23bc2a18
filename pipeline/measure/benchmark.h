#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "model/decoder/recompute.h"
#include "model/ops/ops.h"
#include "model/shape/config.h"
#include "pipeline/comm/communicator.h"
#include "pipeline/measure/decode_speed.h"
#include "pipeline/pretrain/exchange/zero_stage.h"

namespace chainrule::pipeline::measure {

struct BenchmarkOptions {
  model::shape::Config config;    ///< with its vocabulary
  std::int64_t micro_batch = 1;   ///< sequences
  std::int64_t global_batch = 0;  ///< sequences of a training step; 0: one micro-batch a rank
  int rounds = 3;                 ///< each measures everything once; medians are reported
  model::products::Math math = model::products::Math::float32;
  model::decoder::Recompute recompute = model::decoder::Recompute::none;          ///< in training
  pretrain::exchange::ZeroStage zero_stage = pretrain::exchange::ZeroStage::one;  ///< in training
  std::filesystem::path tokenizer;  ///< empty: one trained on generated text
  std::filesystem::path text;       ///< what is tokenised; empty: generated text
  int threads = 0;                  ///< of each rank; 0: as pretrain chooses
};

/// Share of one kind of op in a step.
struct OpTime {
  std::string name;
  double train_seconds = 0;
  double evaluate_seconds = 0;
};

/// Rates are of the whole job (all ranks); FLOPs are the model's, of model::forward_flops_per_token, three times that
/// for training. Fractions are FLOP/s over oneDNN's matrix-product rate on the same ranks, which chainrule's own
/// products may exceed.
struct BenchmarkResult {
  int ranks = 1;
  int threads = 1;
  double peak_gflops = 0;            ///< multiply-adds in registers
  double matmul_gflops = 0;          ///< oneDNN on the products of a training step
  double matmul_forward_gflops = 0;  ///< oneDNN on the products of a forward pass
  double product_gflops = 0;         ///< the products of a training step as chainrule computes them here
  double product_forward_gflops = 0;
  double train_tokens_per_second = 0;
  double train_gflops = 0;
  double evaluate_tokens_per_second = 0;
  double evaluate_gflops = 0;
  double train_step_seconds = 0;
  double reduction_seconds = 0;       ///< of it, in which this rank waited for gradients and parameters to travel
  double optimizer_seconds = 0;       ///< of it, the gradient's norm and AdamW
  double read_wait_seconds = 0;       ///< of it, in which this rank waited for training samples
  double exchange_alone_seconds = 0;  ///< what travels in a step, with nothing computed beside it; 0 on one rank
  double step_without_exchange_seconds = 0;  ///< 0 on one rank
  std::int64_t train_peak_memory_bytes = 0;  ///< of the rank with the most
  std::int64_t evaluate_peak_memory_bytes = 0;
  double read_tokens_per_second = 0;         ///< one rank reading a shard from end to end
  double window_read_seconds = 0;            ///< mean, of one training window in permuted order
  DecodeSpeed decode;                        ///< one sequence on one rank
  double tokenize_megabytes_per_second = 0;  ///< one thread
  std::string tokenize_subject;              ///< which tokenizer on which text
  std::vector<OpTime> ops;                   ///< on rank 0

  double train_fraction() const { return train_gflops / matmul_gflops; }
  /// Share of the exchange that the computation does not hide. Only on several ranks.
  double exposed_exchange() const {
    return (train_step_seconds - step_without_exchange_seconds) / exchange_alone_seconds;
  }
  double evaluate_fraction() const { return evaluate_gflops / matmul_gflops; }
};

/// Measures this machine and the model's training and evaluation on it, in turn, in one process a rank. Collective;
/// the result is whole on rank 0. Needs room in the system's temporary folder for about 60 MB.
BenchmarkResult run_benchmark(const comm::Communicator& communicator, const BenchmarkOptions& options);

/// As a table for people, and as one JSON object for programs.
std::string to_text(const BenchmarkOptions& options, const BenchmarkResult& result);
std::string to_json(const BenchmarkOptions& options, const BenchmarkResult& result);

}  // namespace chainrule::pipeline::measure

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "io/files/json_text.h"
#include "pipeline/measure/benchmark.h"

namespace chainrule::pipeline::measure {
namespace {

double mebibytes(std::int64_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0); }

}  // namespace

std::string to_text(const BenchmarkOptions& options, const BenchmarkResult& r) {
  const model::shape::Config& c = options.config;
  std::string text = fmt::format(
      "model: {} layers, {} heads, width {}, vocabulary {}: {} parameters; T = {}, micro-batch {}, {} rank(s) of {} "
      "thread(s)\n"
      "FLOPs per token: {:.1f} million forward (2 N + 2 L T C, N all parameters, attention counted causal), three "
      "times "
      "that in training\n\n",
      c.layers, c.heads, c.width, c.vocabulary_size, model::shape::parameter_count(c), c.sequence_length,
      options.micro_batch, r.ranks, r.threads, model::shape::forward_flops_per_token(c, c.sequence_length) / 1e6);
  text += fmt::format("{:<44}{:>10}{:>12}{:>12}\n", "", "GFLOP/s", "of oneDNN", "of peak");
  const auto rate = [&](const char* name, double gflops) {
    text += fmt::format("{:<44}{:>10.1f}{:>12.3f}{:>12.3f}\n", name, gflops, gflops / r.matmul_gflops,
                        gflops / r.peak_gflops);
  };
  rate("float32 multiply-adds in registers (peak)", r.peak_gflops);
  rate("oneDNN, the products of a training step", r.matmul_gflops);
  rate("oneDNN, the products of a forward pass", r.matmul_forward_gflops);
  rate("chainrule, the products of a training step", r.product_gflops);
  rate("chainrule, the products of a forward pass", r.product_forward_gflops);
  rate("training step", r.train_gflops);
  rate("evaluation step", r.evaluate_gflops);
  text += fmt::format("\n{:<44}{:>10}{:>12}\n", "", "tokens/s", "peak MiB");
  text += fmt::format("{:<44}{:>10.1f}{:>12.0f}\n", "training", r.train_tokens_per_second,
                      mebibytes(r.train_peak_memory_bytes));
  text += fmt::format("{:<44}{:>10.1f}{:>12.0f}\n", "evaluation", r.evaluate_tokens_per_second,
                      mebibytes(r.evaluate_peak_memory_bytes));
  text += fmt::format("{:<44}{:>9.1f}M\n", "reading a shard from end to end", r.read_tokens_per_second / 1e6);
  text += fmt::format("\nreading a permuted training window: {:.3f} ms ({:.3f} % of a step)\n",
                      r.window_read_seconds * 1e3, 100 * r.window_read_seconds / r.train_step_seconds);
  text +=
      fmt::format("tokenising, one thread: {:.1f} MB/s ({})\n", r.tokenize_megabytes_per_second, r.tokenize_subject);
  text += fmt::format(
      "decoding one sequence: {:.1f} tokens/s, {:.2f} of the {:.1f} that reading {:.0f} MiB of weights a token at "
      "{:.1f} GB/s allows; reading its prompt of {} tokens: {:.0f} tokens/s\n",
      r.decode.tokens_per_second, r.decode.tokens_per_second / r.decode.bound_tokens_per_second,
      r.decode.bound_tokens_per_second, mebibytes(r.decode.weight_bytes), r.decode.read_bytes_per_second / 1e9,
      r.decode.prompt_tokens, r.decode.prompt_tokens_per_second);
  text += fmt::format(
      "a training step: {:.3f} s, of it the optimizer {:.3f} s ({:.1f} %), waiting for samples {:.5f} s "
      "({:.3f} %)",
      r.train_step_seconds, r.optimizer_seconds, 100 * r.optimizer_seconds / r.train_step_seconds, r.read_wait_seconds,
      100 * r.read_wait_seconds / r.train_step_seconds);
  if (r.ranks > 1) {
    text += fmt::format(
        ", waiting for gradients and parameters {:.3f} s ({:.1f} %)\n"
        "the same without exchange between ranks: {:.3f} s; the exchange alone: {:.3f} s, of which a step shows "
        "{:.0f} %",
        r.reduction_seconds, 100 * r.reduction_seconds / r.train_step_seconds, r.step_without_exchange_seconds,
        r.exchange_alone_seconds, 100 * r.exposed_exchange());
  }
  text += "\n";
  text += fmt::format("\n{:<28}{:>12}{:>10}{:>14}\n", "seconds of one micro-batch", "training", "", "evaluation");
  double train_sum = 0;
  for (const OpTime& op : r.ops) train_sum += op.train_seconds;
  for (const OpTime& op : r.ops) {
    text += fmt::format("  {:<26}{:>12.4f}{:>8.1f} %{:>14.4f}\n", op.name, op.train_seconds,
                        100 * op.train_seconds / train_sum, op.evaluate_seconds);
  }
  return text;
}

std::string to_json(const BenchmarkOptions& options, const BenchmarkResult& r) {
  const model::shape::Config& c = options.config;
  nlohmann::ordered_json json;
  json["layers"] = c.layers;
  json["heads"] = c.heads;
  json["width"] = c.width;
  json["vocabulary_size"] = c.vocabulary_size;
  json["sequence_length"] = c.sequence_length;
  json["parameters"] = model::shape::parameter_count(c);
  json["micro_batch"] = options.micro_batch;
  json["global_batch"] = options.global_batch;
  json["math"] = options.math == model::products::Math::bf16 ? "bf16" : "float32";
  json["recompute"] = name_of(options.recompute);
  json["zero_stage"] = static_cast<int>(options.zero_stage);
  json["ranks"] = r.ranks;
  json["threads_per_rank"] = r.threads;
  json["forward_flops_per_token"] = model::shape::forward_flops_per_token(c, c.sequence_length);
  json["peak_gflops"] = r.peak_gflops;
  json["matmul_gflops"] = r.matmul_gflops;
  json["matmul_forward_gflops"] = r.matmul_forward_gflops;
  json["product_gflops"] = r.product_gflops;
  json["product_forward_gflops"] = r.product_forward_gflops;
  json["train_tokens_per_second"] = r.train_tokens_per_second;
  json["train_gflops"] = r.train_gflops;
  json["train_fraction"] = r.train_fraction();
  json["train_peak_fraction"] = r.train_gflops / r.peak_gflops;
  json["train_step_seconds"] = r.train_step_seconds;
  json["train_peak_memory_bytes"] = r.train_peak_memory_bytes;
  json["reduction_seconds"] = r.reduction_seconds;
  json["optimizer_seconds"] = r.optimizer_seconds;
  json["read_wait_seconds"] = r.read_wait_seconds;
  if (r.ranks > 1) {
    json["exchange_alone_seconds"] = r.exchange_alone_seconds;
    json["step_without_exchange_seconds"] = r.step_without_exchange_seconds;
    json["exposed_exchange"] = r.exposed_exchange();
  }
  json["evaluate_tokens_per_second"] = r.evaluate_tokens_per_second;
  json["evaluate_gflops"] = r.evaluate_gflops;
  json["evaluate_fraction"] = r.evaluate_fraction();
  json["evaluate_peak_fraction"] = r.evaluate_gflops / r.peak_gflops;
  json["evaluate_peak_memory_bytes"] = r.evaluate_peak_memory_bytes;
  json["read_tokens_per_second"] = r.read_tokens_per_second;
  json["window_read_seconds"] = r.window_read_seconds;
  json["decode_tokens_per_second"] = r.decode.tokens_per_second;
  json["decode_bound_tokens_per_second"] = r.decode.bound_tokens_per_second;
  json["decode_fraction"] = r.decode.tokens_per_second / r.decode.bound_tokens_per_second;
  json["decode_weight_bytes"] = r.decode.weight_bytes;
  json["memory_read_bytes_per_second"] = r.decode.read_bytes_per_second;
  json["prompt_tokens_per_second"] = r.decode.prompt_tokens_per_second;
  json["tokenize_megabytes_per_second"] = r.tokenize_megabytes_per_second;
  json["tokenize_subject"] = r.tokenize_subject;
  for (const OpTime& op : r.ops) {
    json["ops"].push_back(
        {{"name", op.name}, {"train_seconds", op.train_seconds}, {"evaluate_seconds", op.evaluate_seconds}});
  }
  return io::files::json_text(json, 2) + "\n";
}

}  // namespace chainrule::pipeline::measure

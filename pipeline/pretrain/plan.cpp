#include "pipeline/pretrain/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/decoder/decoder.h"
#include "model/decoder/loss_blocks.h"
#include "model/products/onednn/products.h"
#include "pipeline/failure/error.h"
#include "pipeline/pretrain/exchange/block_ownership.h"
#include "pipeline/pretrain/gradient_memory.h"
#include "pipeline/show/numbers.h"

namespace chainrule::pipeline::pretrain {
namespace {

std::string mebibytes(std::int64_t bytes) { return fmt::format("{:>10.1f} MiB", static_cast<double>(bytes) / 0x1p20); }

/// Elements of the largest factors that bf16 rounds: the output layer's weight, and logits' gradients or activations.
std::int64_t rounded_elements(const model::shape::Description& description, std::int64_t rows) {
  std::int64_t widest = 0;
  for (const model::shape::Part& part : description.layer.parts) {
    if (part.is_product()) widest = std::max({widest, part.in(), part.out()});
  }
  const model::shape::Part& head = description.head;
  return head.weight->size() + std::max(model::decoder::loss_block_rows(rows) * head.out(), rows * widest);
}

/// Activations and scratch.
std::int64_t activation_bytes(const PretrainOptions& options, const model::shape::ParameterTable& table,
                              std::int64_t rows) {
  const std::int64_t bytes = model::decoder::workspace_bytes(
      table, {.maximum_rows = rows, .purpose = model::decoder::Purpose::train, .recompute = options.recompute});
  if (!model::products::onednn::rounds_factors(options.math)) return bytes;
  return bytes + rounded_elements(table.description(), rows) * static_cast<std::int64_t>(sizeof(std::uint16_t));
}

}  // namespace

PretrainPlan plan_pretraining(const PretrainOptions& options, const PretrainInputs& inputs, std::int64_t steps_before,
                              int ranks) {
  const model::shape::Config& config = inputs.config;
  const model::shape::ParameterTable table(config);
  const std::int64_t arena = table.arena_size();
  constexpr auto kFloat = static_cast<std::int64_t>(sizeof(float));
  PretrainPlan plan;
  plan.parameters = model::shape::parameter_count(config);
  plan.lanes = options.lanes;
  const double tokens = static_cast<double>(options.global_batch) * static_cast<double>(config.sequence_length) *
                        static_cast<double>(options.schedule.steps);
  if (tokens > 9e18) {
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("--steps {} of --global-batch {} are {:.3g} tokens, more than can be counted",
                                     options.schedule.steps, options.global_batch, tokens));
  }
  constexpr std::int64_t kMostMicroBatches = std::int64_t{1} << 24;
  if (options.global_batch / options.micro_batch > kMostMicroBatches) {
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("--global-batch {} has more than {} micro-batches of {}", options.global_batch,
                                     kMostMicroBatches, options.micro_batch));
  }
  const windows::BatchSizes batches = batch_sizes(options);
  const auto samples = static_cast<std::int64_t>(batches.of_steps(options.schedule.steps));
  plan.steps_before = steps_before;
  plan.first_step_tokens = batches.of_step(steps_before + 1) * config.sequence_length;
  plan.last_step_tokens = batches.of_step(options.schedule.steps) * config.sequence_length;
  plan.tokens = (samples - static_cast<std::int64_t>(batches.of_steps(steps_before))) * config.sequence_length;
  plan.training_tokens = inputs.training_tokens();
  double windows = 0;
  for (const SourceInput& source : inputs.sources) {
    windows += static_cast<double>(source.training->token_count() / static_cast<std::uint64_t>(config.sequence_length));
  }
  plan.epochs = static_cast<double>(samples) / windows;
  plan.flops =
      3 * model::shape::forward_flops_per_token(config, config.sequence_length) * static_cast<double>(plan.tokens);

  plan.parameter_bytes = arena * kFloat;
  const exchange::BlockOwnership ownership(arena, ranks);
  plan.gradient_bytes = gradient_elements(options, table, config, ownership) * kFloat;
  for (int rank = 0; rank < ranks; ++rank) {
    const std::int64_t optimizer = 2 * ownership.elements_of(rank) * kFloat;
    plan.optimizer_bytes = std::max(plan.optimizer_bytes, optimizer);
    const std::int64_t average = options.average_decay ? ownership.elements_of(rank) * kFloat : 0;
    plan.average_bytes = std::max(plan.average_bytes, average);
    if (!options.background_checkpoints) continue;
    plan.copy_bytes = std::max(plan.copy_bytes, optimizer + average + (rank == 0 ? plan.parameter_bytes : 0));
  }
  plan.activation_bytes = activation_bytes(options, table, options.micro_batch * config.sequence_length);
  return plan;
}

std::vector<job::Need> memory_needs(const PretrainPlan& plan) {
  std::vector<job::Need> needs = {{"parameters", plan.parameter_bytes},
                                  {"gradients", plan.gradient_bytes},
                                  {"optimizer", plan.optimizer_bytes},
                                  {"activations", plan.activation_bytes},
                                  {"checkpoint copy", plan.copy_bytes}};
  if (plan.average_bytes != 0) needs.insert(needs.begin() + 3, {"average", plan.average_bytes});
  return needs;
}

std::string to_text(const PretrainPlan& plan, int ranks) {
  std::string text;
  const auto line = [&](const char* name, const std::string& value) {
    text += fmt::format("  {:<18}{}\n", name, value);
  };
  text += "the run\n";
  line("parameters", show::grouped(static_cast<std::uint64_t>(plan.parameters)));
  line("ranks, lanes", fmt::format("{}, {}", ranks, plan.lanes));
  std::string per_step = show::grouped(static_cast<std::uint64_t>(plan.first_step_tokens));
  if (plan.last_step_tokens != plan.first_step_tokens) {
    per_step += " to " + show::grouped(static_cast<std::uint64_t>(plan.last_step_tokens));
  }
  line("tokens per step", per_step);
  if (plan.steps_before != 0) line("goes on from step", show::grouped(static_cast<std::uint64_t>(plan.steps_before)));
  line("tokens in all", show::grouped(static_cast<std::uint64_t>(plan.tokens)));
  line("tokens of data", show::grouped(plan.training_tokens));
  line("epochs", fmt::format("{:.2f}", plan.epochs));
  line("model FLOPs", fmt::format("{:.3g}", plan.flops));
  text += "memory per rank\n";
  for (const job::Need& need : memory_needs(plan)) line(need.what.c_str(), mebibytes(need.bytes));
  line("together", mebibytes(plan.bytes()));
  return text;
}

}  // namespace chainrule::pipeline::pretrain

#include "pipeline/measure/benchmark.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>

#include "pipeline/cli/arithmetic_options.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/options.h"
#include "pipeline/comm/session.h"
#include "pipeline/failure/error.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::cli {

failure::ExitCode run_benchmark(const Arguments& arguments) {
  CommandOptions options("chainrule benchmark [--model PRESET] [--sequence-length T] [--micro-batch B] [--json]",
                         "What this machine can do and how near training and evaluation come to it, measured in turn "
                         "in one process a rank.");
  std::string model;
  std::int64_t sequence_length = 0;
  std::int64_t vocabulary = 0;
  measure::BenchmarkOptions asked;
  std::string tokenizer;
  std::string text;
  const std::string presets = fmt::format("{}", fmt::join(model::shape::preset_names(), "|"));
  options.group("Model").add_options()("model", po::value(&model)->default_value("gpt2-124m")->value_name(presets),
                                       "preset")(
      "vocabulary-size", po::value(&vocabulary)->default_value(50257)->value_name("N"), "tokens")(
      "sequence-length", po::value(&sequence_length)->value_name("TOKENS"), "(default: the preset's)")(
      "micro-batch", po::value(&asked.micro_batch)->default_value(1)->value_name("SEQUENCES"), "sequences of one pass")(
      "global-batch", po::value(&asked.global_batch)->value_name("SEQUENCES"),
      "sequences of a training step (default: one micro-batch a rank)");
  ArithmeticOptions arithmetic;
  po::options_description& arithmetic_group = options.group("Arithmetic and memory");
  arithmetic.add_math_to(arithmetic_group);
  arithmetic.add_recompute_to(arithmetic_group);
  arithmetic.add_zero_stage_to(arithmetic_group);
  options.group("Tokenising")
      .add_options()("tokenizer", po::value(&tokenizer)->value_name("T"),
                     "tokenizer.json or a folder (default: one trained on generated text)")(
          "input", po::value(&text)->value_name("FILE"), "text to tokenise (default: generated text)");
  bool json = false;
  options.group("Measurement")
      .add_options()("rounds", po::value(&asked.rounds)->default_value(3)->value_name("N"),
                     "rounds; each measures everything in turn, medians are reported")(
          "threads", po::value(&asked.threads)->value_name("N"),
          "threads of each rank (default: OMP_NUM_THREADS, else this rank's share of the cores)")(
          "json", po::bool_switch(&json), "print one JSON object");
  if (!options.parse(arguments)) return failure::ExitCode::done;

  const auto preset = model::shape::preset(model);
  if (!preset) {
    throw failure::Error(failure::ExitCode::usage, fmt::format("--model '{}' is none of {}", model,
                                                               fmt::join(model::shape::preset_names(), ", ")));
  }
  asked.config = *preset;
  asked.config.vocabulary_size = vocabulary;
  if (options.given("sequence-length")) asked.config.sequence_length = sequence_length;
  model::shape::validate(asked.config);
  asked.math = arithmetic.chosen_math();
  asked.recompute = arithmetic.chosen_recompute();
  asked.zero_stage = arithmetic.chosen_zero_stage();
  if (asked.micro_batch < 1 || asked.rounds < 1)
    throw failure::Error(failure::ExitCode::usage, "--micro-batch and --rounds must be at least 1");
  if (asked.config.sequence_length < 3) {
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("--sequence-length must be at least 3 (a prompt and two decode steps), not {}",
                                     asked.config.sequence_length));
  }
  if (vocabulary < 2) throw failure::Error(failure::ExitCode::usage, "--vocabulary-size must be at least 2");
  asked.tokenizer = tokenizer;
  asked.text = text;

  const comm::Session session;
  options.require_same(session.world());
  const int ranks = session.world().size();
  if (asked.global_batch == 0) asked.global_batch = asked.micro_batch * ranks;
  if (asked.global_batch < 1 || asked.global_batch % asked.micro_batch != 0) {
    throw failure::AgreedError(
        failure::ExitCode::usage,
        fmt::format("--global-batch {} is not a multiple of --micro-batch {}", asked.global_batch, asked.micro_batch));
  }
  const measure::BenchmarkResult result = measure::run_benchmark(session.world(), asked);
  if (session.world().rank() == 0) run::print(json ? measure::to_json(asked, result) : measure::to_text(asked, result));
  return failure::ExitCode::done;
}

}  // namespace chainrule::pipeline::cli

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "io/files/atomic_file.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/model_help.h"
#include "pipeline/cli/options.h"
#include "pipeline/cli/sample_printer.h"
#include "pipeline/cli/standard_output.h"
#include "pipeline/cli/version.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/comm/session.h"
#include "pipeline/failure/error.h"
#include "pipeline/infer/generate/generator.h"
#include "pipeline/infer/generate/sample_json.h"
#include "pipeline/run/environment.h"
#include "pipeline/run/standard_streams.h"
#include "pipeline/run/threads.h"
#include "pipeline/show/legible.h"

namespace chainrule::pipeline::cli {
namespace {

struct Request {
  std::string model;
  std::string prompt;
  std::string prompts;
  std::int64_t maximum_tokens = infer::generate::kDefaultMaximumTokens;
  infer::generate::GenerationOptions generation;
  bool slide = false;
  bool json = false;
  int threads = 0;
};

void validate(const Request& request) {
  const infer::generate::GenerationOptions& generation = request.generation;
  // Products and sums of two such numbers stay far from overflow.
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  check_range("max-tokens", request.maximum_tokens, 1, kMost);
  check_range("samples", generation.samples, 1, kMost);
  check_range("batch", generation.batch, 1, kMost);
  check_range("threads", request.threads, 0);
  for (const std::string& stop : generation.stops) {
    if (stop.empty())
      throw failure::Error(failure::ExitCode::usage, "--stop: an empty text would end every sample at once");
  }
  model::sampling::validate(generation.sampling);
}

void tell_of_slides(std::int64_t slid, std::int64_t samples, std::int64_t context) {
  if (slid > 0) {
    run::say(fmt::format(
        "chainrule: {} of {} samples outgrew the model's context of {} tokens: the older half of it was let "
        "go each time it was full\n",
        slid, samples, context));
  }
}

void tell_of_cut_prompts(const std::vector<infer::generate::Prompt>& prompts, std::int64_t context) {
  for (const infer::generate::Prompt& prompt : prompts) {
    const auto tokens = static_cast<std::int64_t>(prompt.tokens.size());
    if (tokens > context) {
      run::say(fmt::format("chainrule: {} is longer than the model's context: its first {} tokens were let go\n",
                           prompt.name, tokens - context));
    }
  }
}

/// One prompt: text as it comes.
void stream(const Request& request, std::optional<std::int64_t> maximum_tokens) {
  run::use_threads_alone(request.threads);
  const models::TextModel model = models::load_text_model(request.model);
  std::vector<infer::generate::Prompt> prompts(1);
  prompts[0].text = request.prompt;
  infer::generate::prepare(prompts, model, maximum_tokens, request.slide);
  tell_of_cut_prompts(prompts, model.model.config.sequence_length);
  const auto ops = model::ops::make_fast_ops(model::products::Math::float32);
  infer::generate::Generator generator(model, prompts, request.generation, *ops);
  SamplePrinter printer(request.generation.samples);
  const bool person_reads = at_terminal();
  std::int64_t slid = 0;
  for (std::int64_t batch = 0; batch < generator.batches(); ++batch) {
    const auto samples = generator.run(batch, [&](std::int64_t sequence, std::string_view piece) {
      if (!request.json) printer.add(sequence, person_reads ? show::without_controls(piece) : show::valid_utf8(piece));
    });
    for (const infer::generate::Sample& sample : samples) {
      if (request.json) {
        run::print(infer::generate::json_line(sample, prompts[0]));
      } else {
        printer.finish(sample.sample);
      }
      slid += sample.slides > 0 ? 1 : 0;
    }
  }
  tell_of_slides(slid, request.generation.samples, model.model.config.sequence_length);
}

/// A file of prompts, shared out over the ranks batch by batch; rank 0 prints in order.
void share_out(const comm::Communicator& world, const Request& request, std::optional<std::int64_t> maximum_tokens) {
  const int threads = run::use_threads(world, request.threads);
  run::gather_environment(world, version_text(), threads);
  const auto ops = model::ops::make_fast_ops(model::products::Math::float32);
  std::vector<infer::generate::Prompt> prompts;
  std::unique_ptr<infer::generate::Generator> generator;
  std::string content;
  comm::agree_on_first(world, [&] {
    content = request.prompts == "-" ? run::read_standard_input("the prompts")
                                     : io::files::read_file_or_pipe(request.prompts);
  });
  content = world.broadcast(content);
  comm::agree(world, [&] {
    prompts = infer::generate::parse_prompts(
        content, request.prompts == "-" ? "standard input" : std::string_view(request.prompts));
  });
  const models::TextModel model = models::load_same_text_model(world, request.model);
  comm::agree(world, [&] {
    infer::generate::prepare(prompts, model, maximum_tokens, request.slide);
    generator = std::make_unique<infer::generate::Generator>(model, prompts, request.generation, *ops);
  });
  if (world.rank() == 0) tell_of_cut_prompts(prompts, model.model.config.sequence_length);
  std::int64_t slid = 0;
  for (std::int64_t first = 0; first < generator->batches(); first += world.size()) {
    std::string lines;
    comm::agree(world, [&] {
      if (first + world.rank() >= generator->batches()) return;
      for (const infer::generate::Sample& sample :
           generator->run(first + world.rank(), [](std::int64_t, std::string_view) {})) {
        lines += infer::generate::json_line(sample, prompts[static_cast<std::size_t>(sample.prompt)]);
        slid += sample.slides > 0 ? 1 : 0;
      }
    });
    for (const auto& part : world.gather(std::as_bytes(std::span(lines)))) {
      run::print({reinterpret_cast<const char*>(part.data()), part.size()});
    }
  }
  world.sum({&slid, 1});
  const auto samples = static_cast<std::int64_t>(prompts.size()) * request.generation.samples;
  if (world.rank() == 0) tell_of_slides(slid, samples, model.model.config.sequence_length);
}

}  // namespace

failure::ExitCode run_generate(const Arguments& arguments) {
  Request request;
  infer::generate::GenerationOptions& generation = request.generation;
  model::sampling::SamplingOptions& sampling = generation.sampling;
  CommandOptions options(
      "chainrule generate --model M [--prompt T | --prompts FILE.jsonl] [--max-tokens N] [--samples N] [--seed S]\n"
      "       [--temperature T] [--top-k K] [--top-p P] [--min-p M] [--repetition-penalty R] [--stop T] [--slide] "
      "[--json]",
      "Continues texts, one sampled token at a time, conditioned on the start token and the prompt. One\n"
      "prompt is answered as its tokens come; a file of prompts is shared over the ranks, a line of\n"
      "JSON for each sample, the same for any number of ranks. Special tokens spelled in a prompt are text.");
  options.group("Model").add_options()("model", po::value(&request.model)->required()->value_name("PATH"), kModelHelp)(
      "threads", po::value(&request.threads)->default_value(0),
      "OpenMP threads a rank; 0: OMP_NUM_THREADS, else the rank's share of the cores");
  options.group("Prompt").add_options()("prompt", po::value(&request.prompt)->value_name("TEXT"),
                                        "a text to continue; without it, a text is written from its beginning")(
      "prompts", po::value(&request.prompts)->value_name("FILE"),
      "many (- is standard input): a line is a JSON object with \"prompt\" and, if wanted, \"id\"")(
      "samples", po::value(&generation.samples)->default_value(generation.samples), "continuations of each prompt")(
      "batch", po::value(&generation.batch)->default_value(generation.batch), "sequences decoded together")(
      "slide", po::bool_switch(&request.slide),
      "whenever the context is full, let the older half of it go and read the rest anew (its keys and values depend on "
      "what is gone); and let the start of a prompt that is too long go");
  options.group("End of a sample (end-of-text and the model's eos_token always end one)")
      .add_options()("max-tokens", po::value(&request.maximum_tokens)->default_value(request.maximum_tokens),
                     "tokens at most; where not given, less if the context has no room for so many")(
          "stop", po::value(&generation.stops)->value_name("TEXT"),
          "a text that ends a sample and is not printed; may be given several times");
  options.group("Sampling, in the order of application")
      .add_options()(
          "repetition-penalty", po::value(&sampling.repetition_penalty)->default_value(1.0, "1"),
          "logits of tokens already in the text: divided by it where positive, else multiplied; 0.01 to 100, 1: off")(
          "temperature", po::value(&sampling.temperature)->default_value(1.0, "1"),
          "logits are divided by it; 0: always the likeliest token")(
          "top-k", po::value(&sampling.top_k)->default_value(0), "keep this many of the likeliest tokens; 0: all")(
          "top-p", po::value(&sampling.top_p)->default_value(1.0, "1"),
          "keep the fewest likeliest tokens that reach this probability together; 1: all")(
          "min-p", po::value(&sampling.min_p)->default_value(0.0, "0"),
          "keep tokens at least this many times as likely as the likeliest; 0: all")(
          "seed", po::value(&generation.seed)->default_value(0), "the same seed gives the same text");
  options.group("Output").add_options()("json", po::bool_switch(&request.json),
                                        "a line of JSON for each sample, as --prompts always gives");
  if (!options.parse(arguments)) return failure::ExitCode::done;
  validate(request);
  const auto maximum_tokens =
      options.given("max-tokens") ? std::optional<std::int64_t>(request.maximum_tokens) : std::nullopt;
  const bool many = options.either("prompt", "prompts") == "prompts";
  if (!many && comm::launched_size() == 1) {
    stream(request, maximum_tokens);
    return failure::ExitCode::done;
  }
  const comm::Session session;
  options.require_same(session.world());
  if (many) {
    share_out(session.world(), request, maximum_tokens);
  } else if (session.world().rank() == 0) {
    stream(request, maximum_tokens);
  }
  return failure::ExitCode::done;
}

}  // namespace chainrule::pipeline::cli

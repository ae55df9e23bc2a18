#include "pipeline/evaluate/evaluate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/cli/arithmetic_options.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/model_help.h"
#include "pipeline/cli/options.h"
#include "pipeline/cli/version.h"
#include "pipeline/cli/write_option.h"
#include "pipeline/comm/session.h"
#include "pipeline/evaluate/requests/evaluate_requests.h"
#include "pipeline/failure/error.h"
#include "pipeline/run/activity.h"
#include "pipeline/run/signals.h"
#include "pipeline/run/watchdog.h"
#include "pipeline/windows/protocol/protocol.h"

namespace chainrule::pipeline::cli {
namespace {

namespace protocol = windows::protocol;

/// What `of` says of each protocol that says something, joined.
template <class Of>
std::string of_protocols(const char* separator, const Of& of) {
  std::vector<std::string> said;
  for (const protocol::Protocol* each : protocol::all()) {
    if (std::string one = of(*each); !one.empty()) said.push_back(std::move(one));
  }
  return fmt::format("{}", fmt::join(said, separator));
}

std::string name_of(const protocol::Protocol& each) { return std::string(each.name); }

constexpr std::string_view kAllProtocols = "all";

/// Null for all of them.
const protocol::Protocol* protocol_of(const std::string& name, bool stride_given) {
  if (name == kAllProtocols) return nullptr;  // those that have a stride take it
  const protocol::Protocol* const found = protocol::find(name);
  if (found == nullptr) {
    throw failure::Error(failure::ExitCode::usage, fmt::format("--protocol '{}' is neither {} nor {}", name,
                                                               of_protocols(" nor ", name_of), kAllProtocols));
  }
  if (stride_given && !found->fixed_stride.empty()) {
    const auto with_stride = [](const protocol::Protocol& each) {
      return each.fixed_stride.empty() ? name_of(each) : std::string();
    };
    throw failure::Error(failure::ExitCode::usage, fmt::format("--stride belongs to protocol {}: {}",
                                                               of_protocols(", ", with_stride), found->fixed_stride));
  }
  return found;
}

/// "2/4".
evaluate::scoring::Part part_of(const std::string& text) {
  const auto number = [](std::string_view digits) {
    std::uint64_t value = 0;
    const auto [behind, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && behind == digits.data() + digits.size() ? value : 0;
  };
  const std::size_t slash = std::min(text.find('/'), text.size());
  const std::uint64_t index = number(text.substr(0, slash));
  const std::uint64_t count = slash < text.size() ? number(text.substr(slash + 1)) : 0;
  constexpr std::uint64_t kMost = 1'000'000;
  if (index < 1 || index > count || count < 2 || count > kMost) {
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("--part '{}' is not I/N with I from 1 to N, N from 2 to {}", text, kMost));
  }
  return {index - 1, count};
}

/// Throws Error usage where an option is missing, or belongs to what is not evaluated.
void check_belong_together(const CommandOptions& options) {
  const bool requests = options.given("requests");
  for (const char* needed : requests ? std::vector{"output"} : std::vector{"data", "report"}) {
    if (options.given(needed)) continue;
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("the option '--{}' is required but missing; see --help", needed));
  }
  for (const char* other : requests ? std::vector{"data", "report", "max-documents", "protocol", "stride",
                                                  "micro-batch", "part", "token-nll", "baseline", "write"}
                                    : std::vector{"output"}) {
    if (!options.given(other)) continue;
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("--{} does not go with {}", other, requests ? "--requests" : "--data"));
  }
}

/// Throws Error usage where other programs' files are asked for that this evaluation cannot make.
void check_formats(const evaluate::EvaluateOptions& asked) {
  const evaluate::writers::Formats& write = asked.write;
  if (asked.part.count > 1 && (write.lm_eval || write.every_eval_ever)) {
    throw failure::Error(failure::ExitCode::usage, "--write belongs to chainrule report merge where --part is given");
  }
  if (asked.protocol != nullptr) evaluate::require_protocol_of(write, *asked.protocol);
}

evaluate::requests::RequestOptions request_options(const evaluate::EvaluateOptions& asked, const std::string& requests,
                                                   const std::string& output) {
  return {.model = asked.model,
          .requests = requests,
          .output = output,
          .time_limit_seconds = asked.time_limit_seconds,
          .allow_nonfinite = asked.allow_nonfinite,
          .context_length = asked.context_length,
          .math = asked.math,
          .threads = asked.threads};
}

}  // namespace

failure::ExitCode run_evaluate(const Arguments& arguments) {
  CommandOptions options(
      "chainrule evaluate --model CHECKPOINT_OR_RUN (--data DIR --report DIR | --requests FILE "
      "--output FILE) [options]",
      "Token-weighted cross-entropy and perplexity of a data set, per domain and overall: a table "
      "on stdout,\nand report.html, report.json and CSV files in the report folder.\nOr, of a file of requests, how "
      "likely each continuation is behind its context.");
  evaluate::EvaluateOptions asked;
  std::string model;
  std::string baseline;
  std::string data;
  std::string report;
  std::string requests;
  std::string output;
  std::string protocol_name;
  std::string part;
  std::string time_limit;
  std::int64_t max_documents = 0;
  options.group("What is evaluated")
      .add_options()("model", po::value(&model)->required()->value_name("PATH"), kModelHelp)(
          "baseline", po::value(&baseline)->value_name("PATH"),
          "another model with the same tokenizer: how far the predictions are from its own")(
          "data", po::value(&data)->value_name("PATH"),
          "a data set made by chainrule pack; or token files of llm.c or Megatron, made with the model's tokenizer: a "
          "file, a folder of them, or what their names begin with")(
          "max-documents", po::value(&max_documents)->value_name("N"),
          "only the first N documents; the report says so (default: all)")(
          "requests", po::value(&requests)->value_name("FILE"),
          "instead of data: a file with {\"context\": \"...\", \"continuation\": \"...\"} or {\"text\": \"...\"} on "
          "each line, perhaps with an \"id\"");
  const std::string protocols =
      of_protocols("; ",
                   [](const protocol::Protocol& each) { return fmt::format("{}: {}", each.name, each.summary); }) +
      "; all: each of them in turn, a table and a folder for each";
  options.group("How").add_options()("protocol",
                                     po::value(&protocol_name)
                                         ->default_value(name_of(*protocol::all().front()))
                                         ->value_name(of_protocols("|", name_of) + "|" + std::string(kAllProtocols)),
                                     protocols.c_str())(
      "context-length", po::value(&asked.context_length)->value_name("TOKENS"),
      "longest context (default: the model's; of llama.cpp at most 512, of gptq 2048)")(
      "stride", po::value(&asked.stride)->value_name("TOKENS"),
      "by how much windows advance (protocol document; default: half the context length; and hf-stride; default: 512)")(
      "micro-batch", po::value(&asked.micro_batch)->value_name("WINDOWS"),
      "windows of full length scored at once (default: as many as make about 1024 tokens)")(
      "threads", po::value(&asked.threads)->value_name("N"),
      "threads of each rank (default: OMP_NUM_THREADS, else this rank's share of the cores)");
  options.group("Batch job")
      .add_options()("part", po::value(&part)->value_name("I/N"),
                     "score only part I of N (from 1), into REPORT.part-I-of-N; chainrule report "
                     "merge makes the report of all parts")(
          "time-limit", po::value(&time_limit)->value_name("TIME"),
          "stop in time for it (minutes, or [DAYS-]HOURS:MINUTES:SECONDS) with exit code 75, as on USR1 and TERM; the "
          "same command goes on where it stopped, on any number of ranks")(
          "allow-nonfinite", po::bool_switch(&asked.allow_nonfinite),
          "tokens without a finite result are no failure: the report counts them");
  ArithmeticOptions arithmetic;
  arithmetic.add_math_to(options.group("Arithmetic"));
  po::options_description& output_group = options.group("Output");
  output_group.add_options()("report", po::value(&report)->value_name("DIR"),
                             "folder to write; must not exist, or be empty")(
      "output", po::value(&output)->value_name("FILE"),
      "of requests: file to write, an answer a line in their order; must not exist")(
      "token-nll", po::bool_switch(&asked.keep_tokens), "keep every token's score in tokens.h5");
  WriteOption write;
  write.add_to(output_group);
  if (!options.parse(arguments)) return failure::ExitCode::done;
  check_belong_together(options);

  for (const auto& [name, value] : {std::pair<const char*, std::int64_t>{"context-length", asked.context_length},
                                    {"stride", asked.stride},
                                    {"micro-batch", asked.micro_batch},
                                    {"max-documents", max_documents},
                                    {"threads", asked.threads}}) {
    if (options.given(name) && value < 1)
      throw failure::Error(failure::ExitCode::usage, fmt::format("--{} must be at least 1", name));
  }
  asked.math = arithmetic.chosen_math();
  asked.protocol = protocol_of(protocol_name, options.given("stride"));
  asked.command = command_text("evaluate", arguments);
  asked.model = model;
  asked.baseline = baseline;
  asked.data = data;
  asked.report = report;
  asked.max_documents = static_cast<std::uint64_t>(max_documents);
  if (!part.empty()) asked.part = part_of(part);
  if (!part.empty() && asked.protocol == nullptr)
    throw failure::Error(failure::ExitCode::usage, "--part scores by one protocol at a time, not by all");
  if (!part.empty() && asked.keep_tokens)
    throw failure::Error(failure::ExitCode::usage,
                         "--token-nll belongs to chainrule report merge where --part is given");
  asked.write = write.chosen();
  check_formats(asked);
  if (!time_limit.empty()) asked.time_limit_seconds = time_limit_seconds(time_limit);

  run::catch_stop_signals();
  const comm::Session session;
  options.require_same(session.world());
  return run::watched(session.world(), [&] {
    run::Activity::enter(run::Activity::Phase::evaluation, 0);
    if (options.given("requests")) {
      return evaluate::requests::evaluate_requests(session.world(), request_options(asked, requests, output),
                                                   version_text());
    }
    return evaluate::evaluate(session.world(), asked, version_text());
  });
}

}  // namespace chainrule::pipeline::cli

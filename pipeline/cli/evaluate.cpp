#include "pipeline/evaluate/evaluate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <utility>
#include <vector>

#include "pipeline/cli/arithmetic_options.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/options.h"
#include "pipeline/cli/version.h"
#include "pipeline/comm/session.h"
#include "pipeline/failure/error.h"
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

const protocol::Protocol* protocol_of(const std::string& name, bool stride_given) {
  const protocol::Protocol* const found = protocol::find(name);
  if (found == nullptr) {
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("--protocol '{}' is neither {}", name, of_protocols(" nor ", name_of)));
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

}  // namespace

failure::ExitCode run_evaluate(const Arguments& arguments) {
  CommandOptions options("chainrule evaluate --model CHECKPOINT_OR_RUN --data DIR --report DIR [options]",
                         "Token-weighted cross-entropy and perplexity of a data set, per domain and overall: a table "
                         "on stdout,\nand report.json, environment.json, domains.csv and documents.csv in the report "
                         "folder.");
  evaluate::EvaluateOptions asked;
  std::string model;
  std::string data;
  std::string report;
  std::string protocol_name;
  std::int64_t max_documents = 0;
  options.group("What is evaluated")
      .add_options()("model", po::value(&model)->required()->value_name("PATH"),
                     "a checkpoint, or a run directory (its last checkpoint)")(
          "data", po::value(&data)->required()->value_name("PATH"),
          "a data set made by chainrule pack; or token files of llm.c or Megatron, made with the model's tokenizer: a "
          "file, a folder of them, or what their names begin with")(
          "max-documents", po::value(&max_documents)->value_name("N"),
          "only the first N documents; the report says so (default: all)");
  const std::string protocols =
      of_protocols("; ", [](const protocol::Protocol& each) { return fmt::format("{}: {}", each.name, each.summary); });
  options.group("How").add_options()(
      "protocol", po::value(&protocol_name)->default_value(name_of(*protocol::all().front()))->value_name("NAME"),
      protocols.c_str())("context-length", po::value(&asked.context_length)->value_name("TOKENS"),
                         "longest context (default: the model's)")(
      "stride", po::value(&asked.stride)->value_name("TOKENS"),
      "by how much windows of a long document advance (protocol document; default: half the context length)")(
      "micro-batch", po::value(&asked.micro_batch)->value_name("WINDOWS"),
      "windows of full length scored at once (default: as many as make about 1024 tokens)")(
      "threads", po::value(&asked.threads)->value_name("N"),
      "threads of each rank (default: OMP_NUM_THREADS, else this rank's share of the cores)");
  ArithmeticOptions arithmetic;
  arithmetic.add_math_to(options.group("Arithmetic"));
  options.group("Output").add_options()("report", po::value(&report)->required()->value_name("DIR"),
                                        "folder to write; must not exist, or be empty");
  if (!options.parse(arguments)) return failure::ExitCode::done;

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
  asked.model = model;
  asked.data = data;
  asked.report = report;
  asked.max_documents = static_cast<std::uint64_t>(max_documents);

  const comm::Session session;
  options.require_same(session.world());
  evaluate::evaluate(session.world(), asked, version_text());
  return failure::ExitCode::done;
}

}  // namespace chainrule::pipeline::cli

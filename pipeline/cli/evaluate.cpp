#include "pipeline/evaluate/evaluate.h"

#include <fmt/format.h>

#include <string>

#include "pipeline/cli/arithmetic_options.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/options.h"
#include "pipeline/cli/version.h"
#include "pipeline/comm/session.h"
#include "pipeline/failure/error.h"

namespace chainrule::pipeline::cli {
namespace {

windows::Protocol protocol_of(const std::string& name) {
  for (const windows::Protocol protocol : {windows::Protocol::document, windows::Protocol::packed}) {
    if (name == windows::name_of(protocol)) return protocol;
  }
  throw failure::Error(failure::ExitCode::usage, fmt::format("--protocol '{}' is neither document nor packed", name));
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
  std::string protocol;
  std::int64_t max_documents = 0;
  options.group("What is evaluated")
      .add_options()("model", po::value(&model)->required()->value_name("PATH"),
                     "a checkpoint, or a run directory (its last checkpoint)")(
          "data", po::value(&data)->required()->value_name("DIR"), "a data set made by chainrule pack")(
          "max-documents", po::value(&max_documents)->value_name("N"),
          "only the first N documents; the report says so (default: all)");
  options.group("How").add_options()(
      "protocol", po::value(&protocol)->default_value("document")->value_name("NAME"),
      "document: each document alone, after an end-of-text; packed: the whole stream in windows side by side")(
      "context-length", po::value(&asked.context_length)->value_name("TOKENS"),
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
  asked.protocol = protocol_of(protocol);
  if (asked.protocol == windows::Protocol::packed && options.given("stride")) {
    throw failure::Error(failure::ExitCode::usage,
                         "--stride belongs to protocol document: packed windows lie side by side");
  }
  asked.model = model;
  asked.data = data;
  asked.report = report;
  asked.max_documents = static_cast<std::uint64_t>(max_documents);

  const comm::Session session;
  evaluate::evaluate(session.world(), asked, version_text());
  return failure::ExitCode::done;
}

}  // namespace chainrule::pipeline::cli

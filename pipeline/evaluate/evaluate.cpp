#include "pipeline/evaluate/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "model/decoder/decoder.h"
#include "model/ops/ops.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/run/environment.h"
#include "pipeline/failure/error.h"
#include "pipeline/evaluate/evaluation_inputs.h"
#include "pipeline/evaluate/score_corpus.h"
#include "pipeline/evaluate/report/render.h"
#include "pipeline/evaluate/report/report_folder.h"
#include "pipeline/run/standard_streams.h"
#include "pipeline/run/threads.h"

namespace chainrule::pipeline {
namespace {

/// environment.json: what the results may depend on, and what they took.
nlohmann::ordered_json environment_json(const Environment& environment, const EvaluateOptions& options,
                                        const EvaluationInputs& inputs, const CorpusScore& corpus,
                                        std::uint64_t tokens) {
  auto json = to_json(environment);
  const std::uint64_t rows = corpus.window_rows + corpus.padding_rows;
  json["ended"] = utc_now();
  json["model"] = inputs.model.folder.string();
  json["data"] = options.data.string();
  json["math"] = options.math == model::Math::bf16 ? "bf16" : "float32";
  json["micro_batch"] = inputs.units.micro_batch;
  json["work_units"] = corpus.units;
  json["rows_computed"] = rows;
  json["padding_share"] = static_cast<double>(corpus.padding_rows) / static_cast<double>(rows);
  json["scoring_seconds"] = corpus.elapsed_seconds;
  json["scored_tokens_per_second"] = static_cast<double>(tokens) / corpus.elapsed_seconds;
  return json;
}

std::string text_of(const nlohmann::ordered_json& json) {
  // Names come from file systems and may be no UTF-8; JSON must be.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

void write_report(ReportFolder& folder, const EvaluationInputs& inputs, const CorpusScore& corpus,
                  const EvaluationReport& report, const nlohmann::ordered_json& environment) {
  folder.begin();
  folder.write("report.json", text_of(render_json(report)));
  folder.write("environment.json", text_of(environment));
  folder.write("domains.csv", render_domains_csv(report));
  folder.write("documents.csv", [&](const TextSink& sink) {
    render_documents_csv(inputs.data.domains(), inputs.documents, inputs.data.sources(), corpus.documents, sink);
  });
  folder.commit();
}

}  // namespace

WorkUnitOptions resolve(const EvaluateOptions& options, std::int64_t model_context_length) {
  WorkUnitOptions units;
  ScoringWindowOptions& windows = units.windows;
  windows.protocol = options.protocol;
  windows.context_length = options.context_length != 0 ? options.context_length : model_context_length;
  if (windows.context_length > model_context_length) {
    throw Error(ExitCode::usage, fmt::format("--context-length {} is longer than the model's {}",
                                             windows.context_length, model_context_length));
  }
  windows.stride = windows.context_length;
  if (options.protocol == Protocol::document) {
    windows.stride = options.stride != 0 ? options.stride : std::max<std::int64_t>(1, windows.context_length / 2);
  }
  if (windows.stride > windows.context_length) {
    throw Error(ExitCode::usage, fmt::format("--stride {} is longer than the context length {}: tokens would be left "
                                             "out",
                                             windows.stride, windows.context_length));
  }
  units.micro_batch = options.micro_batch != 0 ? options.micro_batch : default_micro_batch(windows.context_length);
  // No machine holds the logits of so many rows; beyond it, arithmetic on rows could overflow.
  constexpr std::int64_t kMostRows = std::int64_t{1} << 30U;
  if (units.micro_batch > kMostRows / windows.context_length) {
    throw Error(ExitCode::usage, fmt::format("--micro-batch {} at context length {} is more than {} tokens at once",
                                             units.micro_batch, windows.context_length, kMostRows));
  }
  return units;
}

void evaluate(const Communicator& communicator, const EvaluateOptions& options, const std::string& program) {
  const int threads = use_threads(communicator, options.threads);
  const Environment environment = gather_environment(communicator, program, threads);
  std::optional<ReportFolder> folder;
  agree_on_first(communicator, [&] { folder.emplace(options.report); });
  EvaluationInputs inputs = open_inputs(communicator, options);

  std::unique_ptr<model::Ops> ops;
  std::unique_ptr<model::Decoder> decoder;
  agree(communicator, [&] {
    ops = model::make_fast_ops(options.math);
    const model::DecoderOptions decoder_options{maximum_unit_rows(inputs.units), model::Purpose::evaluate};
    decoder = std::make_unique<model::Decoder>(inputs.model.config, decoder_options, *ops);
  });
  const std::span<const io::DocumentRecord> covered = inputs.covered();
  UnitScorer scorer(
      covered, inputs.data.domains().size(), inputs.data.end_of_text(),
      [&](std::uint64_t first, std::span<std::uint32_t> tokens) { inputs.data.read(first, tokens); },
      [&](const model::Batch& batch, std::span<double> nll) {
        decoder->score(inputs.model.parameters.span(), batch, nll);
      });
  const CorpusScore corpus = score_corpus(communicator, inputs.units, covered, scorer);

  agree_on_first(communicator, [&] {
    const EvaluationReport report = make_report(inputs.subject(), inputs.data.domains(), inputs.documents,
                                                corpus.documents, scorer.unigram_counts());
    write_report(*folder, inputs, corpus, report,
                 environment_json(environment, options, inputs, corpus, report.overall.tokens_scored()));
    print(fmt::format("{}\nreport: {}\n", render_table(report), options.report.string()));
  });
  if (corpus.nonfinite_tokens != 0) {
    throw AgreedError(ExitCode::bad_data, fmt::format("{} tokens have no finite result; the report in '{}' counts them "
                                                      "and gives no overall values",
                                                      corpus.nonfinite_tokens, options.report.string()));
  }
}

}  // namespace chainrule::pipeline

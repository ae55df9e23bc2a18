#include "pipeline/evaluate/evaluate.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "io/files/json_text.h"
#include "model/decoder/decoder.h"
#include "model/ops/ops.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/evaluate/evaluation_inputs.h"
#include "pipeline/evaluate/report/render.h"
#include "pipeline/evaluate/report/report_folder.h"
#include "pipeline/evaluate/score_corpus.h"
#include "pipeline/failure/error.h"
#include "pipeline/run/environment.h"
#include "pipeline/run/standard_streams.h"
#include "pipeline/run/threads.h"

namespace chainrule::pipeline::evaluate {
namespace {

/// environment.json: what the results may depend on, and what they took.
nlohmann::ordered_json environment_json(const run::Environment& environment, const EvaluateOptions& options,
                                        const EvaluationInputs& inputs, const CorpusScore& corpus,
                                        std::uint64_t tokens) {
  auto json = run::to_json(environment);
  const std::uint64_t rows = corpus.window_rows + corpus.padding_rows;
  json["ended"] = run::utc_now();
  json["model"] = inputs.model.folder.string();
  json["data"] = options.data.string();
  json["math"] = options.math == model::products::Math::bf16 ? "bf16" : "float32";
  json["micro_batch"] = inputs.units.micro_batch;
  json["work_units"] = corpus.units;
  json["rows_computed"] = rows;
  json["padding_share"] = static_cast<double>(corpus.padding_rows) / static_cast<double>(rows);
  json["scoring_seconds"] = corpus.elapsed_seconds;
  json["scored_tokens_per_second"] = static_cast<double>(tokens) / corpus.elapsed_seconds;
  return json;
}

void write_report(report::ReportFolder& folder, const EvaluationInputs& inputs,
                  std::span<const tally::DocumentScore> scores, const report::EvaluationReport& report,
                  const nlohmann::ordered_json& environment) {
  folder.begin();
  folder.write("report.json", report::to_text(report::render_json(report)));
  folder.write("environment.json", report::to_text(environment));
  folder.write("domains.csv", report::render_domains_csv(report));
  folder.write("documents.csv", [&](const report::TextSink& sink) {
    report::render_documents_csv(inputs.data->domains(), inputs.documents, inputs.data->sources(), scores, sink);
  });
  folder.commit();
}

}  // namespace

void evaluate(const comm::Communicator& communicator, const EvaluateOptions& options, const std::string& program) {
  const int threads = run::use_threads(communicator, options.threads);
  const run::Environment environment = run::gather_environment(communicator, program, threads);
  std::optional<report::ReportFolder> folder;
  comm::agree_on_first(communicator, [&] { folder.emplace(options.report); });
  EvaluationInputs inputs = open_inputs(communicator, options);

  std::unique_ptr<model::ops::Ops> ops;
  std::unique_ptr<model::decoder::Decoder> decoder;
  comm::agree(communicator, [&] {
    ops = model::ops::make_fast_ops(options.math);
    const model::decoder::DecoderOptions decoder_options{windows::maximum_unit_rows(inputs.units),
                                                         model::decoder::Purpose::evaluate};
    decoder = std::make_unique<model::decoder::Decoder>(inputs.model.config, decoder_options, *ops);
  });
  const std::span<const io::tokens::DocumentRecord> covered = inputs.covered();
  UnitScorer scorer(*inputs.data, covered, inputs.start_token,
                    [&](const model::ops::Batch& batch, const model::ops::PredictionScores& scores) {
                      decoder->score(inputs.model.weights(), batch, scores);
                    });
  const CorpusScore corpus = score_corpus(communicator, inputs.units, covered, scorer,
                                          {inputs.identity(), covered.size(), inputs.data->domains().size()});

  comm::agree_on_first(communicator, [&] {
    const std::vector<tally::DocumentScore> scores = corpus.result.documents().scores();
    const report::EvaluationReport report = report::make_report(inputs.subject(), inputs.data->domains(),
                                                                inputs.documents, scores, corpus.result.unigrams());
    write_report(*folder, inputs, scores, report,
                 environment_json(environment, options, inputs, corpus, report.overall.tokens_scored));
    run::print(fmt::format("{}\nreport: {}\n", report::render_table(report), options.report.string()));
  });
  if (corpus.nonfinite_tokens != 0) {
    throw failure::AgreedError(failure::ExitCode::bad_data,
                               fmt::format("{} tokens have no finite result; the report in '{}' counts them "
                                           "and gives no overall values",
                                           corpus.nonfinite_tokens, options.report.string()));
  }
}

}  // namespace chainrule::pipeline::evaluate

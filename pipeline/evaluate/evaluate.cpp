#include "pipeline/evaluate/evaluate.h"

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "io/error.h"
#include "io/files/presence.h"
#include "model/decoder/decoder.h"
#include "model/ops/ops.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/evaluate/evaluation_inputs.h"
#include "pipeline/evaluate/part_file.h"
#include "pipeline/evaluate/report/render.h"
#include "pipeline/evaluate/report/report_folder.h"
#include "pipeline/evaluate/results.h"
#include "pipeline/evaluate/score_corpus.h"
#include "pipeline/failure/error.h"
#include "pipeline/run/environment.h"
#include "pipeline/run/standard_streams.h"
#include "pipeline/run/threads.h"
#include "pipeline/run/time_limit.h"
#include "pipeline/show/numbers.h"

namespace chainrule::pipeline::evaluate {
namespace {

/// environment.json: what the results may depend on, and what they took.
nlohmann::ordered_json environment_json(const run::Environment& environment, const EvaluateOptions& options,
                                        const EvaluationInputs& inputs, const ScoringWork& work) {
  auto json = run::to_json(environment);
  const std::uint64_t rows = work.window_rows + work.padding_rows;
  const auto per = [](double value, double by) { return by == 0 ? 0 : value / by; };
  json["ended"] = run::utc_now();
  json["model"] = inputs.model.folder.string();
  json["data"] = options.data.string();
  json["math"] = options.math == model::products::Math::bf16 ? "bf16" : "float32";
  json["micro_batch"] = inputs.plan.micro_batch;
  json["work_units"] = work.units;
  json["work_units_found"] = work.found_units;  // scored by runs of this evaluation that were stopped
  json["rows_computed"] = rows;
  json["padding_share"] = per(static_cast<double>(work.padding_rows), static_cast<double>(rows));
  json["scoring_seconds"] = work.elapsed_seconds;
  json["scored_tokens_per_second"] = per(static_cast<double>(work.scored_tokens), work.elapsed_seconds);
  return json;
}

/// Where an evaluation's results go, on rank 0: the report or a part of one, and the journal until then.
struct Output {
  Output(const EvaluateOptions& options) : is_part(options.part.count > 1) {
    if (is_part) {
      part = part_file(options.report, options.part);
      check_part_file(part);
    } else {
      folder.emplace(options.report);
    }
  }

  bool is_part;
  std::filesystem::path part;
  std::optional<report::ReportFolder> folder;
  std::optional<journal::Journal> journal;
};

ScoringWork score(const comm::Communicator& communicator, const EvaluateOptions& options,
                  const EvaluationInputs& inputs, journal::Journal* journal, const std::function<bool()>& stop) {
  std::unique_ptr<model::ops::Ops> ops;
  std::unique_ptr<model::decoder::Decoder> decoder;
  const windows::WorkUnitOptions units = inputs.plan.units();
  comm::agree(communicator, [&] {
    ops = model::ops::make_fast_ops(options.math);
    const model::decoder::DecoderOptions decoder_options{windows::maximum_unit_rows(units),
                                                         model::decoder::Purpose::evaluate};
    decoder = std::make_unique<model::decoder::Decoder>(inputs.model.config, decoder_options, *ops);
  });
  UnitScorer scorer({*inputs.data, inputs.documents(), inputs.plan.start_token},
                    [&](const model::ops::Batch& batch, const model::ops::PredictionScores& scores) {
                      decoder->score(inputs.model.weights(), batch, scores);
                    });
  return score_corpus(communicator, units, inputs.documents(), inputs.plan.part, scorer, journal, stop);
}

/// Puts the part or the report in its place and prints what there is to say. Returns the tokens without a finite result
/// (of a part: none are counted yet).
std::uint64_t make_output(Output& output, const EvaluateOptions& options, const EvaluationInputs& inputs,
                          const MakeEnvironment& make_environment) {
  const journal::Journal& journal = *output.journal;
  if (output.is_part) {
    publish_part(journal, output.part);
    run::print(fmt::format("part {} of {}: {}\n", options.part.index + 1, options.part.count, output.part.string()));
    return 0;
  }
  const report::EvaluationReport report = write_results(
      inputs.plan, *inputs.data, [&](std::uint64_t unit) { return journal.result(unit); }, options.keep_tokens,
      *output.folder, make_environment);
  remove_journal(journal);
  run::print(fmt::format("{}\nreport: {}\n", report::render_table(report), options.report.string()));
  return report.overall.nonfinite_tokens;
}

std::string kept_in(const journal::Journal& journal) {
  return fmt::format("what was scored is kept in '{}': the same command goes on with it", journal.path().string());
}

/// Runs work, which makes something of the journal; where it fails the journal stays, and the message says so.
void finish(const journal::Journal& journal, const std::function<void()>& work) {
  try {
    work();
  } catch (const io::Error& error) {
    if (!io::files::is_there(journal.path())) throw;  // the output is in its place
    throw io::Error(error.kind(), fmt::format("{}; {}", error.what(), kept_in(journal)));
  }
}

}  // namespace

failure::ExitCode evaluate(const comm::Communicator& communicator, const EvaluateOptions& options,
                           const std::string& program) {
  const std::function<bool()> asked_to_stop = run::when_to_stop(options.time_limit_seconds);
  const int threads = run::use_threads(communicator, options.threads);
  const run::Environment environment = run::gather_environment(communicator, program, threads);
  std::optional<Output> output;
  comm::agree_on_first(communicator, [&] { output.emplace(options); });
  const EvaluationInputs inputs = open_inputs(communicator, options);
  comm::agree_on_first(communicator, [&] {
    output->journal.emplace(journal::Journal::open(journal_file(output->is_part ? output->part : options.report),
                                                   {inputs.plan.identity(), to_json_text(inputs.plan)}));
    if (output->journal->units() != 0) {
      run::say(fmt::format("going on with '{}', which has {} work units", output->journal->path().string(),
                           show::grouped(output->journal->units())));
    }
  });
  journal::Journal* const journal = output ? &*output->journal : nullptr;
  const ScoringWork work = score(communicator, options, inputs, journal, asked_to_stop);
  if (work.stopped) {
    if (journal != nullptr) run::say(fmt::format("stopped; {}", kept_in(*journal)));
    return failure::ExitCode::stopped_early;
  }

  std::int64_t nonfinite = 0;
  comm::agree_on_first(communicator, [&] {
    finish(*journal, [&] {
      nonfinite = static_cast<std::int64_t>(make_output(
          *output, options, inputs, [&](const auto&) { return environment_json(environment, options, inputs, work); }));
    });
  });
  nonfinite = communicator.maximum(nonfinite);
  if (nonfinite != 0 && !options.allow_nonfinite) {
    throw failure::AgreedError(failure::ExitCode::bad_data,
                               nonfinite_message(static_cast<std::uint64_t>(nonfinite), options.report));
  }
  return failure::ExitCode::done;
}

}  // namespace chainrule::pipeline::evaluate

#include "pipeline/evaluate/evaluation_steps.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/files/presence.h"
#include "io/quote.h"
#include "model/decoder/decoder.h"
#include "model/ops/ops.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/failure/error.h"
#include "pipeline/run/standard_streams.h"
#include "pipeline/show/numbers.h"

namespace chainrule::pipeline::evaluate {

nlohmann::ordered_json environment_json(const run::Environment& environment, const job::Whereabouts& here,
                                        const EvaluateOptions& options, const EvaluationInputs& inputs,
                                        const scoring::ScoringWork& work) {
  auto json = run::to_json(environment);
  job::add_to(json, here);
  const std::uint64_t rows = work.window_rows + work.padding_rows;
  const auto per = [](double value, double by) { return by == 0 ? 0 : value / by; };
  json["ended"] = run::utc_now();
  json["model"] = inputs.model.folder.string();
  if (inputs.baseline) json["baseline"] = inputs.baseline->folder.string();
  json["data"] = options.data.string();
  json["math"] = inputs.plan.math;
  json["micro_batch"] = inputs.plan.micro_batch;
  json["work_units"] = work.units;
  json["work_units_found"] = work.found_units;  // scored by runs of this evaluation that were stopped
  json["rows_computed"] = rows;
  json["padding_share"] = per(static_cast<double>(work.padding_rows), static_cast<double>(rows));
  json["scoring_seconds"] = work.elapsed_seconds;
  json["fastest_rank_seconds"] = work.fastest_rank_seconds;
  json["slowest_rank_seconds"] = work.slowest_rank_seconds;
  json["scored_tokens_per_second"] = per(static_cast<double>(work.scored_tokens), work.elapsed_seconds);
  return json;
}

ResultOptions result_options(const EvaluateOptions& options, const EvaluationInputs& inputs, int ranks) {
  const std::string command = ranks == 1 ? options.command : fmt::format("mpirun -n {} {}", ranks, options.command);
  return {options.keep_tokens, command,
          [&inputs]() -> const io::tokenizer::Tokenizer& { return inputs.texts->tokenizer(); }, options.write};
}

scoring::ScoringWork score(const comm::Communicator& communicator, const EvaluateOptions& options,
                           const EvaluationInputs& inputs, journal::Journal* journal,
                           const std::function<bool()>& stop) {
  std::unique_ptr<model::ops::Ops> ops;
  std::unique_ptr<model::decoder::Decoder> decoder;
  std::unique_ptr<model::decoder::Decoder> baseline;
  const windows::WorkUnitOptions units = inputs.plan.units();
  comm::agree(communicator, [&] {
    ops = model::ops::make_fast_ops(options.math);
    const model::decoder::DecoderOptions decoder_options{windows::maximum_unit_rows(units),
                                                         model::decoder::Purpose::evaluate};
    decoder = std::make_unique<model::decoder::Decoder>(inputs.model.config, decoder_options, *ops);
    if (inputs.baseline) {
      baseline = std::make_unique<model::decoder::Decoder>(inputs.baseline->config, decoder_options, *ops);
    }
  });
  const scoring::ScoreBatch alone = [&](const model::ops::Batch& batch, const model::ops::PredictionScores& scores) {
    decoder->score(inputs.model.weights(), batch, scores);
  };
  const scoring::CompareBatch both = [&](const model::ops::Batch& batch, const model::ops::PredictionScores& scores,
                                         const model::ops::BaselineScores& beside) {
    decoder->score(inputs.model.weights(), batch, scores, *baseline, inputs.baseline->weights(), beside);
  };
  const scoring::UnitTokens tokens(*inputs.text, inputs.documents(), inputs.plan.start_token);
  scoring::UnitScorer scorer = inputs.baseline ? scoring::UnitScorer(tokens, both) : scoring::UnitScorer(tokens, alone);
  return scoring::score_corpus(communicator, units, inputs.documents(), inputs.plan.part, scorer, journal, stop);
}

journal::Journal open_journal(const std::filesystem::path& path, const EvaluationPlan& plan) {
  journal::Journal journal = journal::Journal::open(path, {plan.identity(), to_json_text(plan)});
  if (journal.units() != 0) {
    run::say(fmt::format("going on with {}, which has {} work units\n", io::path_in_quotes(path),
                         show::grouped(journal.units())));
    warn_of_other_conditions(path, parse_plan(journal.header().about, path.string()).conditions, plan.conditions);
  }
  return journal;
}

std::string kept_in(const journal::Journal& journal) {
  return fmt::format("what was scored is kept in {}: the same command goes on with it",
                     io::path_in_quotes(journal.path()));
}

void finish(const journal::Journal& journal, const std::function<void()>& work) {
  journal.require_hold();
  try {
    work();
  } catch (const io::Error& error) {
    if (!io::files::is_there(journal.path())) throw;  // the output is in its place
    throw io::Error(error.kind(), fmt::format("{}; {}", error.what(), kept_in(journal)));
  }
}

void refuse_nonfinite(const comm::Communicator& communicator, std::uint64_t on_first, const EvaluateOptions& options) {
  const std::int64_t tokens = communicator.maximum(static_cast<std::int64_t>(on_first));
  if (tokens == 0 || options.allow_nonfinite) return;
  throw failure::AgreedError(failure::ExitCode::bad_data,
                             nonfinite_message(static_cast<std::uint64_t>(tokens), options.report));
}

}  // namespace chainrule::pipeline::evaluate

#include "pipeline/evaluate/evaluate.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "pipeline/comm/agreement.h"
#include "pipeline/evaluate/evaluate_all.h"
#include "pipeline/evaluate/evaluation_inputs.h"
#include "pipeline/evaluate/evaluation_steps.h"
#include "pipeline/evaluate/part_file.h"
#include "pipeline/evaluate/report/render.h"
#include "pipeline/evaluate/report/report_folder.h"
#include "pipeline/evaluate/results.h"
#include "pipeline/evaluate/say_where.h"
#include "pipeline/evaluate/scoring/score_corpus.h"
#include "pipeline/failure/error.h"
#include "pipeline/run/environment.h"
#include "pipeline/run/standard_streams.h"
#include "pipeline/run/threads.h"
#include "pipeline/run/time_limit.h"

namespace chainrule::pipeline::evaluate {
namespace {

/// Where an evaluation's results go, on rank 0: the report or a part of one, and the journal until then.
struct Output {
  Output(const EvaluateOptions& options) : is_part(options.part.count > 1) {
    if (is_part) {
      part = part_file(options.report, options.part);
    } else {
      folder.emplace(options.report);
    }
  }

  bool is_part;
  std::filesystem::path part;
  std::optional<report::ReportFolder> folder;
  std::optional<journal::Journal> journal;
};

/// Puts the part or the report in its place and prints what there is to say. Returns the tokens without a finite result
/// (of a part: none are counted yet).
std::uint64_t make_output(Output& output, const EvaluateOptions& options, const EvaluationInputs& inputs, int ranks,
                          const MakeEnvironment& make_environment) {
  const journal::Journal& journal = *output.journal;
  if (output.is_part) {
    publish_part(journal, output.part);
    run::print(fmt::format("part {} of {}: {}\n", options.part.index + 1, options.part.count, output.part.string()));
    return 0;
  }
  const report::EvaluationReport report = write_results(
      inputs.plan, *inputs.text, [&](std::uint64_t unit) { return journal.result(unit); },
      result_options(options, inputs, ranks), *output.folder, make_environment);
  remove_journal(journal);
  run::print(fmt::format("{}\nreport: {}\n", report::render_table(report), options.report.string()));
  return report.nonfinite_tokens();
}

}  // namespace

failure::ExitCode evaluate(const comm::Communicator& communicator, const EvaluateOptions& options,
                           const std::string& program) {
  const std::function<bool()> stop = run::when_to_stop(options.time_limit_seconds);
  const int threads = run::use_threads(communicator, options.threads);
  const run::Environment environment = run::gather_environment(communicator, program, threads);
  job::Account account(communicator, threads);
  const auto look_and_stop = [&] {
    account.look();
    return stop();
  };
  if (options.protocol == nullptr) return evaluate_all(communicator, options, environment, account, look_and_stop);
  std::optional<Output> output;
  comm::agree_on_first(communicator, [&] { output.emplace(options); });
  const EvaluationInputs inputs = open_inputs(communicator, options, environment);
  bool made = false;  // as rank 0 sees it
  comm::agree_on_first(communicator, [&] {
    made = output->is_part && is_made(output->part, inputs.plan);
    if (made) {
      run::print(fmt::format("part {} of {} is there already: {}\n", options.part.index + 1, options.part.count,
                             output->part.string()));
    }
  });
  if (communicator.maximum(made ? 1 : 0) != 0) return failure::ExitCode::done;
  comm::agree_on_first(communicator, [&] {
    output->journal.emplace(open_journal(journal_file(output->is_part ? output->part : options.report), inputs.plan));
  });
  journal::Journal* const journal = output ? &*output->journal : nullptr;
  const job::Whereabouts here = say_where(communicator, needs_of(inputs), options.report, threads);
  const scoring::ScoringWork work = score(communicator, options, inputs, journal, look_and_stop);
  if (work.stopped) {
    if (journal != nullptr) run::say(fmt::format("stopped; {}\n", kept_in(*journal)));
    say_cost(communicator, account, work.scored_tokens);
    return failure::ExitCode::stopped_early;
  }

  std::uint64_t nonfinite = 0;
  comm::agree_on_first(communicator, [&] {
    finish(*journal, [&] {
      nonfinite = make_output(*output, options, inputs, communicator.size(),
                              [&](const auto&) { return environment_json(environment, here, options, inputs, work); });
    });
  });
  say_cost(communicator, account, work.scored_tokens);
  refuse_nonfinite(communicator, nonfinite, options);
  return failure::ExitCode::done;
}

}  // namespace chainrule::pipeline::evaluate

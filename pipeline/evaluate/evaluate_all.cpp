#include "pipeline/evaluate/evaluate_all.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <nlohmann/json.hpp>
#include <optional>

#include "io/files/published_folder.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/evaluate/evaluation_inputs.h"
#include "pipeline/evaluate/evaluation_steps.h"
#include "pipeline/evaluate/part_file.h"
#include "pipeline/evaluate/report/render.h"
#include "pipeline/evaluate/report/render_protocols.h"
#include "pipeline/evaluate/report/report_folder.h"
#include "pipeline/evaluate/results.h"
#include "pipeline/evaluate/say_where.h"
#include "pipeline/failure/error.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::evaluate {
namespace {

/// A protocol's share of the evaluation.
struct Share {
  EvaluateOptions options;
  EvaluationPlan plan;
  const io::tokens::TokenStream* text = nullptr;
  std::string why_not;                      ///< why it cannot score the data; empty where it can
  std::size_t scored_by = 0;                ///< index of the share whose units it takes
  std::optional<journal::Journal> journal;  ///< on rank 0, where units are its own
  scoring::ScoringWork work;
};

std::deque<Share> shares_of(const comm::Communicator& communicator, const EvaluateOptions& options,
                            EvaluationInputs& inputs) {
  std::deque<Share> shares;
  for (const windows::protocol::Protocol* protocol : windows::protocol::all()) {
    Share& share = shares.emplace_back();
    share.options = options;
    share.options.protocol = protocol;
    share.options.write.lm_eval = options.write.lm_eval && protocol == &windows::protocol::kLmEval;
    share.why_not = choose_protocol(communicator, share.options, inputs);
    share.plan = inputs.plan;
    share.text = inputs.text;
    share.scored_by = shares.size() - 1;
    for (std::size_t i = 0; i + 1 < shares.size(); ++i) {
      if (shares[i].why_not.empty() && shares[i].plan.scored() == share.plan.scored()) share.scored_by = i;
    }
  }
  return shares;
}

std::filesystem::path journal_of(const Share& share) {
  return journal_file(io::files::folder_path(share.options.report).string() + "." +
                      std::string(share.plan.subject.windows.protocol->name));
}

std::string folder_of(const Share& share) { return std::string(share.plan.subject.windows.protocol->name) + "/"; }

/// Rank 0's: the report folder, and the table. Returns the tokens without a finite result.
std::uint64_t write_report(const EvaluateOptions& options, const run::Environment& environment,
                           const job::Whereabouts& here, EvaluationInputs& inputs, const std::deque<Share>& shares,
                           report::ReportFolder& folder) {
  std::vector<report::ProtocolLine> lines;
  std::uint64_t nonfinite = 0;
  folder.begin();
  for (const Share& share : shares) {
    report::ProtocolLine& line = lines.emplace_back();
    line.windows = share.plan.subject.windows;
    line.why_not = share.why_not;
    if (!share.why_not.empty()) continue;
    inputs.plan = share.plan;
    folder.make_folder(folder_of(share));
    const Share& scored = shares[share.scored_by];
    const report::EvaluationReport report = write_files(
        share.plan, *share.text, [&](std::uint64_t unit) { return scored.journal->result(unit); },
        result_options(share.options, inputs, environment.ranks), folder, folder_of(share),
        [&](const auto&) { return environment_json(environment, here, share.options, inputs, scored.work); });
    line.result = report.protocol;
    line.tokens_scored = report.overall.tokens_scored;
    if (const auto prefix = report.protocol.prefix_token) line.prefix = inputs.texts->tokenizer().token_bytes(*prefix);
    nonfinite += report.nonfinite_tokens();
  }
  folder.write("protocols.json", report::to_text(report::render_protocols_json(lines)));
  folder.commit();
  for (const Share& share : shares) {
    if (share.journal) remove_journal(*share.journal);
  }
  run::print(fmt::format("{}\nreports: {}\n", report::render_protocols_table(lines), options.report.string()));
  return nonfinite;
}

void require_one(const EvaluateOptions& options, const std::deque<Share>& shares) {
  if (std::any_of(shares.begin(), shares.end(), [](const Share& share) { return share.why_not.empty(); })) return;
  throw failure::AgreedError(failure::ExitCode::bad_data, fmt::format("nothing to score in '{}': {}",
                                                                      options.data.string(), shares.front().why_not));
}

/// Files that are asked for are refused at the start, not left out at the end.
void require_lm_eval(const std::deque<Share>& shares) {
  for (const Share& share : shares) {
    if (!share.options.write.lm_eval || share.why_not.empty()) continue;
    throw failure::AgreedError(failure::ExitCode::bad_data,
                               fmt::format("--write {} is of protocol {}, which cannot score this data: {}",
                                           writers::kLmEvalFormat, share.options.protocol->name, share.why_not));
  }
}

}  // namespace

failure::ExitCode evaluate_all(const comm::Communicator& communicator, const EvaluateOptions& options,
                               const run::Environment& environment, job::Account& account,
                               const std::function<bool()>& stop) {
  std::optional<report::ReportFolder> folder;
  comm::agree_on_first(communicator, [&] { folder.emplace(options.report); });
  EvaluationInputs inputs = open_model_and_data(communicator, options, environment);
  std::deque<Share> shares = shares_of(communicator, options, inputs);
  require_one(options, shares);
  require_lm_eval(shares);
  // All journals are opened before any is written: what is in the way is told at once.
  comm::agree_on_first(communicator, [&] {
    for (std::size_t i = 0; i < shares.size(); ++i) {
      Share& share = shares[i];
      if (share.why_not.empty() && share.scored_by == i)
        share.journal.emplace(open_journal(journal_of(share), share.plan));
    }
  });
  const job::Whereabouts here = say_where(communicator, needs_of(inputs), options.report, environment.threads_per_rank);
  std::uint64_t scored = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    Share& share = shares[i];
    if (!share.why_not.empty() || share.scored_by != i) continue;
    inputs.plan = share.plan;
    inputs.text = share.text;
    journal::Journal* const journal = share.journal ? &*share.journal : nullptr;
    if (journal != nullptr) run::say(fmt::format("protocol {}\n", share.options.protocol->name));
    share.work = score(communicator, share.options, inputs, journal, stop);
    scored += share.work.scored_tokens;
    if (!share.work.stopped) continue;
    if (journal != nullptr) run::say(fmt::format("stopped; {}\n", kept_in(*journal)));
    say_cost(communicator, account, scored);
    return failure::ExitCode::stopped_early;
  }
  std::uint64_t nonfinite = 0;
  comm::agree_on_first(communicator, [&] {
    const auto first =
        std::find_if(shares.begin(), shares.end(), [](const Share& each) { return each.journal.has_value(); });
    finish(*first->journal, [&] { nonfinite = write_report(options, environment, here, inputs, shares, *folder); });
  });
  say_cost(communicator, account, scored);
  refuse_nonfinite(communicator, nonfinite, options);
  return failure::ExitCode::done;
}

}  // namespace chainrule::pipeline::evaluate

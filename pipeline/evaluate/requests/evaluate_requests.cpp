#include "pipeline/evaluate/requests/evaluate_requests.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <memory>
#include <optional>

#include "io/error.h"
#include "io/files/atomic_output.h"
#include "io/quote.h"
#include "model/decoder/decoder.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/evaluate/evaluation_steps.h"
#include "pipeline/evaluate/journal/record_keeper.h"
#include "pipeline/evaluate/options.h"
#include "pipeline/evaluate/part_file.h"
#include "pipeline/evaluate/plan.h"
#include "pipeline/evaluate/requests/answer.h"
#include "pipeline/evaluate/requests/request_scorer.h"
#include "pipeline/evaluate/say_where.h"
#include "pipeline/evaluate/scoring/found_units.h"
#include "pipeline/evaluate/scoring/results_exchange.h"
#include "pipeline/failure/error.h"
#include "pipeline/models/text_model.h"
#include "pipeline/run/environment.h"
#include "pipeline/run/progress.h"
#include "pipeline/run/standard_streams.h"
#include "pipeline/run/threads.h"
#include "pipeline/run/time_limit.h"

namespace chainrule::pipeline::evaluate::requests {
namespace {

/// Encodes every request once, shared among ranks, and lets all ranks fail with the first one that is bad.
void check_requests(const comm::Communicator& communicator, const RequestFile& file, const RequestEncoder& encoder) {
  const auto ranks = static_cast<std::uint64_t>(communicator.size());
  std::uint64_t bad = file.units();
  failure::Failure failure;
  for (auto unit = static_cast<std::uint64_t>(communicator.rank()); unit < file.units(); unit += ranks) {
    try {
      file.visit(unit, [&](const Request& request, const std::string& name) { encoder.encode(request, name); });
    } catch (...) {
      failure = failure::describe(std::current_exception());
      bad = unit;
      break;
    }
  }
  const auto first = static_cast<std::uint64_t>(communicator.minimum(static_cast<std::int64_t>(bad)));
  if (first == file.units()) return;
  const std::string mine = bad == first ? failure.message : std::string();
  const std::int64_t code = communicator.maximum(bad == first ? static_cast<std::int64_t>(failure.code) : 0);
  const auto said = communicator.all_gather(std::as_bytes(std::span(mine)))[first % ranks];
  throw failure::AgreedError(static_cast<failure::ExitCode>(code),
                             std::string(reinterpret_cast<const char*>(said.data()), said.size()));
}

/// In a line, all that decides what units are and say.
std::string identity_of(const RequestOptions& options, const RequestFile& file, const models::TextModel& model,
                        std::int64_t context_length) {
  std::vector<TokenId> around;
  model.tokenizer.encode_in_template("", around);
  return fmt::format("weights {}, tokenizer {} behind {} in [{}], requests {}, context length {}, math {}",
                     model.model.weights_hash, model.model.tokenizer_fingerprint, model.tokenizer.start_token(),
                     fmt::join(around, " "), file.digest(), context_length,
                     options.math == model::products::Math::bf16 ? "bf16" : "float32");
}

/// Scores the units that the journal does not have yet, dealt to ranks in turn. Whether it was stopped. Collective.
bool score_units(const comm::Communicator& communicator, const RequestFile& file, RequestScorer& scorer,
                 journal::Journal* journal, const std::function<bool()>& asked_to_stop) {
  const scoring::FoundUnits found(communicator, journal);
  run::Progress progress("scoring", "requests", file.requests(), journal != nullptr);
  std::optional<journal::RecordKeeper> keeper;
  if (journal != nullptr) keeper.emplace(*journal);
  scoring::ResultsExchange exchange(communicator, kMostUnitRequests, [&](std::span<const std::byte> record) {
    keeper->take(record);
    progress.update(journal->tokens());
  });
  std::uint64_t turn = 0;
  for (std::uint64_t unit = 0; unit < file.units(); ++unit) {
    if (found.has(unit)) continue;
    if (exchange.stop(asked_to_stop())) break;
    if (windows::rank_of_unit(turn++, communicator.size()) != communicator.rank()) continue;
    exchange.give(journal::to_record(scorer.score(unit)));
  }
  const bool stopped = exchange.finish();
  if (keeper) {
    keeper->finish();
    progress.finish(journal->tokens());
  }
  return stopped;
}

/// Writes the answers. Returns how many are not finite.
std::uint64_t write_answers(const RequestFile& file, const journal::Journal& journal,
                            const std::filesystem::path& path) {
  std::uint64_t nonfinite = 0;
  io::files::AtomicOutput output(path);
  for (std::uint64_t unit = 0; unit < file.units(); ++unit) {
    const journal::UnitResult result = journal.result(unit);
    if (result.tokens() != file.requests_of(unit)) {
      throw io::Error(io::ErrorKind::bad_data,
                      fmt::format("{}: work unit {} has {} answers to {} requests", io::path_in_quotes(journal.path()),
                                  unit, result.tokens(), file.requests_of(unit)));
    }
    std::size_t i = 0;
    file.visit(unit, [&](const Request& request, const std::string&) {
      const Answer answer = answer_at(result, i++);
      if (!std::isfinite(answer.nll)) ++nonfinite;
      output.write(answer_line(request, answer));
    });
  }
  output.commit();
  return nonfinite;
}

}  // namespace

failure::ExitCode evaluate_requests(const comm::Communicator& communicator, const RequestOptions& options,
                                    const std::string& program) {
  const std::function<bool()> time_to_stop = run::when_to_stop(options.time_limit_seconds);
  const int threads = run::use_threads(communicator, options.threads);
  const std::string conditions = run::conditions_of(run::gather_environment(communicator, program, threads));
  job::Account account(communicator, threads);
  const auto asked_to_stop = [&] {
    account.look();
    return time_to_stop();
  };
  comm::agree_on_first(communicator, [&] {
    io::files::require_absent(options.output);
    io::files::make_place_for(options.output);
  });
  std::optional<RequestFile> file;
  comm::agree(communicator, [&] { file.emplace(options.requests); });
  comm::require_same(communicator, failure::ExitCode::bad_data,
                     fmt::format("the requests {}", io::path_in_quotes(options.requests)), file->digest());
  const models::TextModel model = models::load_same_text_model(communicator, options.model);
  std::unique_ptr<model::ops::Ops> ops;
  std::unique_ptr<model::decoder::Decoder> decoder;
  windows::WorkUnitOptions batches;
  comm::agree(communicator, [&] {
    EvaluateOptions length;
    length.context_length = options.context_length;
    batches = resolve(length, model.model.config.sequence_length);
    ops = model::ops::make_fast_ops(options.math);
    decoder = std::make_unique<model::decoder::Decoder>(
        model.model.config, model::decoder::DecoderOptions{windows::maximum_unit_rows(batches)}, *ops);
  });
  say_where(communicator, needs_of(model.model, windows::maximum_unit_rows(batches)), options.output, threads);
  const RequestEncoder encoder(model.tokenizer, batches.windows.context_length);
  check_requests(communicator, *file, encoder);
  const std::string identity = identity_of(options, *file, model, batches.windows.context_length);
  comm::require_same(communicator, failure::ExitCode::bad_data, "what the requests are scored with", identity);
  std::optional<journal::Journal> journal;
  comm::agree_on_first(communicator, [&] {
    journal.emplace(journal::Journal::open(journal_file(options.output), {identity, conditions}));
    if (journal->units() == 0) return;
    warn_of_other_conditions(journal->path(), journal->header().about, conditions);
    run::say(fmt::format("going on with {}, which has {} of {} requests\n", io::path_in_quotes(journal->path()),
                         journal->tokens(), file->requests()));
  });

  RequestScorer scorer(*file, encoder, {windows::maximum_unit_rows(batches), model.model.config.rotary.by_length()},
                       [&](const SharedBatch& batch, const model::ops::PredictionScores& scores,
                           const model::ops::PredictionScores& further) {
                         decoder->score(model.model.weights(), batch.batch(), scores, batch.further, further);
                       });
  if (score_units(communicator, *file, scorer, journal ? &*journal : nullptr, asked_to_stop)) {
    if (journal) {
      run::say(fmt::format("stopped; {}\n", kept_in(*journal)));
    }
    say_cost(communicator, account, 0);
    return failure::ExitCode::stopped_early;
  }
  std::int64_t nonfinite = 0;
  comm::agree_on_first(communicator, [&] {
    finish(*journal, [&] {
      nonfinite = static_cast<std::int64_t>(write_answers(*file, *journal, options.output));
      remove_journal(*journal);
      run::print(fmt::format("answers: {}\n", options.output.string()));
    });
  });
  say_cost(communicator, account, 0);
  nonfinite = communicator.maximum(nonfinite);
  if (nonfinite != 0 && !options.allow_nonfinite) {
    throw failure::AgreedError(failure::ExitCode::bad_data,
                               fmt::format("{} of {} requests have no finite log-likelihood; {} says null for them",
                                           nonfinite, file->requests(), io::path_in_quotes(options.output)));
  }
  return failure::ExitCode::done;
}

}  // namespace chainrule::pipeline::evaluate::requests

#include "pipeline/evaluate/scoring/score_corpus.h"

#include <chrono>
#include <optional>

#include "pipeline/evaluate/journal/record_keeper.h"
#include "pipeline/evaluate/scoring/found_units.h"
#include "pipeline/evaluate/scoring/results_exchange.h"
#include "pipeline/evaluate/scoring/running_perplexity.h"
#include "pipeline/run/progress.h"

namespace chainrule::pipeline::evaluate::scoring {
namespace {

/// Rank 0's side: keeps every record and says how it is going.
class Keeper {
 public:
  Keeper(journal::Journal& journal, std::uint64_t total_tokens)
      : journal_(journal), records_(journal), progress_("scoring", "tokens", total_tokens, true) {}

  void take(std::span<const std::byte> record) {
    perplexity_.add(records_.take(record));
    progress_.update(journal_.tokens(), perplexity_.text());
  }

  void finish() {
    records_.finish();
    progress_.finish(journal_.tokens(), perplexity_.text());
  }

 private:
  journal::Journal& journal_;
  journal::RecordKeeper records_;
  run::Progress progress_;
  RunningPerplexity perplexity_;
};

std::int64_t microseconds_since(std::chrono::steady_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - time).count();
}

}  // namespace

ScoringWork score_corpus(const comm::Communicator& communicator, const windows::WorkUnitOptions& options,
                         const io::tokens::DocumentTable& documents, const Part& part, UnitScorer& scorer,
                         journal::Journal* journal, const std::function<bool()>& asked_to_stop) {
  const auto started = std::chrono::steady_clock::now();
  const FoundUnits found(communicator, journal);
  std::optional<Keeper> keeper;
  if (journal != nullptr)
    keeper.emplace(*journal, windows::tokens_in_units(options, documents, part.count, part.index));
  ResultsExchange exchange(communicator, static_cast<std::uint64_t>(windows::maximum_unit_rows(options)),
                           [&](std::span<const std::byte> record) { keeper->take(record); });
  ScoringWork work;
  work.found_units = found.count();
  windows::WorkUnitCursor units(options, documents);
  std::uint64_t turn = 0;  // units that are left are dealt in turn
  for (windows::WorkUnit unit; units.next(unit);) {
    if (!part.has(unit.index)) continue;
    ++work.units;
    if (found.has(unit.index)) continue;
    if (exchange.stop(asked_to_stop())) break;
    work.window_rows += static_cast<std::uint64_t>(unit.window_rows);
    work.padding_rows += static_cast<std::uint64_t>(unit.rows - unit.window_rows);
    work.scored_tokens += static_cast<std::uint64_t>(unit.scored);
    if (windows::rank_of_unit(turn++, communicator.size()) != communicator.rank()) continue;
    exchange.give(journal::to_record(scorer.score(unit)));
  }
  const std::int64_t mine = microseconds_since(started);
  work.stopped = exchange.finish();
  if (keeper) keeper->finish();
  // Of the rank that began first: no rank's own time is longer.
  work.elapsed_seconds = 1e-6 * static_cast<double>(communicator.maximum(microseconds_since(started)));
  work.fastest_rank_seconds = 1e-6 * static_cast<double>(communicator.minimum(mine));
  work.slowest_rank_seconds = 1e-6 * static_cast<double>(communicator.maximum(mine));
  return work;
}

}  // namespace chainrule::pipeline::evaluate::scoring

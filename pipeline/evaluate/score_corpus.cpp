#include "pipeline/evaluate/score_corpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>
#include <stdexcept>

#include "pipeline/evaluate/results_exchange.h"
#include "pipeline/evaluate/running_perplexity.h"
#include "pipeline/run/progress.h"

namespace chainrule::pipeline::evaluate {
namespace {

using Ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

/// What rank 0's journal has, on every rank.
Ranges found_units(const comm::Communicator& communicator, const journal::Journal* journal) {
  std::string text;
  if (journal != nullptr) {
    const Ranges ranges = journal->ranges();
    text.assign(reinterpret_cast<const char*>(ranges.data()), ranges.size() * sizeof(Ranges::value_type));
  }
  text = communicator.broadcast(text);
  Ranges ranges(text.size() / sizeof(Ranges::value_type));
  if (!text.empty()) std::memcpy(static_cast<void*>(ranges.data()), text.data(), text.size());
  return ranges;
}

bool is_among(const Ranges& ranges, std::uint64_t unit) {
  const auto behind = std::upper_bound(ranges.begin(), ranges.end(), unit,
                                       [](std::uint64_t wanted, const auto& range) { return wanted < range.first; });
  return behind != ranges.begin() && unit < std::prev(behind)->second;
}

/// Rank 0's side: keeps every record and says how it is going.
class Keeper {
 public:
  Keeper(journal::Journal& journal, std::uint64_t total_tokens)
      : journal_(journal), progress_("scoring", "tokens", total_tokens, true), synced_(Clock::now()) {}

  void take(std::span<const std::byte> record) {
    journal::UnitResult result;
    if (!journal::read_record(record, result)) throw std::runtime_error("a unit's result was damaged on its way");
    journal_.append(record);
    if (const Clock::time_point now = Clock::now(); now - synced_ > kSyncEvery) {
      journal_.sync();
      synced_ = now;
    }
    perplexity_.add(result);
    progress_.update(journal_.tokens(), perplexity_.text());
  }

  void finish() {
    journal_.sync();
    progress_.finish(journal_.tokens(), perplexity_.text());
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kSyncEvery{5};

  journal::Journal& journal_;
  run::Progress progress_;
  RunningPerplexity perplexity_;
  Clock::time_point synced_;
};

}  // namespace

ScoringWork score_corpus(const comm::Communicator& communicator, const windows::WorkUnitOptions& options,
                         const io::tokens::DocumentTable& documents, const Part& part, UnitScorer& scorer,
                         journal::Journal* journal, const std::function<bool()>& asked_to_stop) {
  const auto started = std::chrono::steady_clock::now();
  const Ranges found = found_units(communicator, journal);
  std::optional<Keeper> keeper;
  if (journal != nullptr)
    keeper.emplace(*journal, windows::tokens_in_units(options, documents, part.count, part.index));
  ResultsExchange exchange(communicator, static_cast<std::uint64_t>(windows::maximum_unit_rows(options)),
                           [&](std::span<const std::byte> record) { keeper->take(record); });
  ScoringWork work;
  for (const auto& [first, end] : found) work.found_units += end - first;
  windows::WorkUnitCursor units(options, documents);
  std::uint64_t turn = 0;  // units that are left are dealt in turn
  for (windows::WorkUnit unit; units.next(unit);) {
    if (!part.has(unit.index)) continue;
    ++work.units;
    if (is_among(found, unit.index)) continue;
    if (exchange.stop(asked_to_stop())) break;
    work.window_rows += static_cast<std::uint64_t>(unit.window_rows);
    work.padding_rows += static_cast<std::uint64_t>(unit.rows - unit.window_rows);
    work.scored_tokens += static_cast<std::uint64_t>(unit.scored);
    if (windows::rank_of_unit(turn++, communicator.size()) != communicator.rank()) continue;
    exchange.give(journal::to_record(scorer.score(unit)));
  }
  work.stopped = exchange.finish();
  if (keeper) keeper->finish();
  work.elapsed_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  return work;
}

}  // namespace chainrule::pipeline::evaluate

#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "io/files/temporary_folder.h"
#include "pipeline/evaluate/scoring/replay.h"
#include "pipeline/evaluate/scoring/score_corpus.h"
#include "pipeline/evaluate/tally/token_tally.h"
#include "tests/support/mpi_world.h"

namespace chainrule::tests {

/// A corpus as all ranks scored it; tokens on rank 0.
struct ScoredCorpus {
  pipeline::evaluate::scoring::ScoringWork work;
  std::vector<pipeline::evaluate::tally::ScoredToken> tokens;

  /// Of each of so many documents.
  std::vector<pipeline::evaluate::tally::TokenTally> documents(std::size_t count) const {
    std::vector<pipeline::evaluate::tally::TokenTally> tallies(count);
    for (const auto& token : tokens) tallies[token.document].add(token);
    return tallies;
  }
};

/// Scores a corpus on all ranks, with a new journal unless `keep` says to go on with the one there is, and reads it
/// back.
inline ScoredCorpus score_and_replay(
    const pipeline::windows::WorkUnitOptions& options, const io::tokens::TokenStream& stream,
    const io::tokens::DocumentTable& documents, std::uint32_t start_token,
    const pipeline::evaluate::scoring::ScoreBatch& score,
    const std::function<bool()>& asked_to_stop = [] { return false; }, bool keep = false) {
  namespace evaluate = pipeline::evaluate;
  // Only the first rank's is used; jobs of other numbers of ranks may run beside this one.
  static const io::files::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "scored corpus.journal";
  std::optional<evaluate::journal::Journal> journal;
  if (world().rank() == 0) {
    if (!keep) std::filesystem::remove(path);
    journal.emplace(evaluate::journal::Journal::open(path, {"made up", "{}"}));
  }
  const evaluate::scoring::UnitTokens tokens(stream, documents, start_token);
  evaluate::scoring::UnitScorer scorer(tokens, score);
  ScoredCorpus scored;
  scored.work = evaluate::scoring::score_corpus(world(), options, documents, {}, scorer, journal ? &*journal : nullptr,
                                                asked_to_stop);
  if (journal && !scored.work.stopped) {
    evaluate::scoring::replay(
        options, documents, tokens, [&](std::uint64_t unit) { return journal->result(unit); },
        [&](const evaluate::tally::ScoredToken& token) { scored.tokens.push_back(token); });
  }
  return scored;
}

/// Every token of a corpus, scored by this process alone.
inline std::vector<pipeline::evaluate::journal::UnitResult> score_alone(
    const pipeline::windows::WorkUnitOptions& options, const io::tokens::TokenStream& stream,
    const io::tokens::DocumentTable& documents, std::uint32_t start_token,
    const pipeline::evaluate::scoring::ScoreBatch& score) {
  pipeline::evaluate::scoring::UnitScorer scorer({stream, documents, start_token}, score);
  std::vector<pipeline::evaluate::journal::UnitResult> results;
  pipeline::windows::WorkUnitCursor units(options, documents);
  for (pipeline::windows::WorkUnit unit; units.next(unit);) results.push_back(scorer.score(unit));
  return results;
}

}  // namespace chainrule::tests

#include "pipeline/evaluate/score_corpus.h"

#include <chrono>

#include "pipeline/run/progress.h"

namespace chainrule::pipeline::evaluate {

CorpusScore score_corpus(const comm::Communicator& communicator, const windows::WorkUnitOptions& options,
                         std::span<const io::tokens::DocumentRecord> documents, UnitScorer& scorer) {
  const auto started = std::chrono::steady_clock::now();
  run::Progress progress("scoring", "tokens", windows::protocol::tokens_to_score(options.windows, documents),
                         communicator.rank() == 0);
  CorpusScore corpus;
  std::vector<tally::UnitResult> mine;
  std::int64_t nonfinite = 0;
  std::uint64_t passed = 0;  // tokens of all ranks' units up to this one: the ranks go in step, near enough
  windows::WorkUnitCursor units(options, documents);
  for (windows::WorkUnit unit; units.next(unit);) {
    ++corpus.units;
    corpus.window_rows += static_cast<std::uint64_t>(unit.window_rows);
    corpus.padding_rows += static_cast<std::uint64_t>(unit.rows - unit.window_rows);
    passed += static_cast<std::uint64_t>(unit.scored);
    if (windows::rank_of_unit(unit.index, communicator.size()) != communicator.rank()) continue;
    mine.push_back(scorer.score(unit));
    for (const auto& tally : mine.back().documents) {
      nonfinite += static_cast<std::int64_t>(tally.score.all().nonfinite());
    }
    progress.update(passed);
  }
  std::vector<tally::UnitResult> results = tally::gather_results(communicator, mine);
  scorer.unigram_counts().gather(communicator);
  communicator.sum(std::span(&nonfinite, 1));
  corpus.nonfinite_tokens = static_cast<std::uint64_t>(nonfinite);
  if (communicator.rank() == 0)
    corpus.documents = tally::merge_results(std::move(results), corpus.units, documents.size());
  corpus.elapsed_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  progress.finish(passed);
  return corpus;
}

}  // namespace chainrule::pipeline::evaluate

#include "pipeline/evaluate/score_corpus.h"

#include <chrono>
#include <utility>

#include "pipeline/run/progress.h"

namespace chainrule::pipeline::evaluate {

CorpusScore score_corpus(const comm::Communicator& communicator, const windows::WorkUnitOptions& options,
                         std::span<const io::tokens::DocumentRecord> documents, UnitScorer& scorer,
                         tally::PartialResult empty) {
  const auto started = std::chrono::steady_clock::now();
  run::Progress progress("scoring", "tokens", windows::protocol::tokens_to_score(options.windows, documents),
                         communicator.rank() == 0);
  CorpusScore corpus{.result = std::move(empty)};
  std::uint64_t passed = 0;  // tokens of all ranks' units up to this one: the ranks go in step, near enough
  windows::WorkUnitCursor units(options, documents);
  for (windows::WorkUnit unit; units.next(unit);) {
    ++corpus.units;
    corpus.window_rows += static_cast<std::uint64_t>(unit.window_rows);
    corpus.padding_rows += static_cast<std::uint64_t>(unit.rows - unit.window_rows);
    passed += static_cast<std::uint64_t>(unit.scored);
    if (windows::rank_of_unit(unit.index, communicator.size()) != communicator.rank()) continue;
    scorer.score(unit, corpus.result);
    progress.update(passed);
  }
  auto nonfinite = static_cast<std::int64_t>(corpus.result.documents().total().all().nonfinite());
  communicator.sum(std::span(&nonfinite, 1));
  corpus.result.gather(communicator);
  corpus.nonfinite_tokens = static_cast<std::uint64_t>(nonfinite);
  if (communicator.rank() == 0) corpus.result.require_units(corpus.units);
  corpus.elapsed_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  progress.finish(passed);
  return corpus;
}

}  // namespace chainrule::pipeline::evaluate

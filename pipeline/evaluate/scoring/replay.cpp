#include "pipeline/evaluate/scoring/replay.h"

#include <fmt/format.h>

#include "io/error.h"

namespace chainrule::pipeline::evaluate::scoring {

void replay(const windows::WorkUnitOptions& options, const io::tokens::DocumentTable& documents, UnitTokens tokens,
            const ResultOfUnit& result_of, const std::function<void(const tally::ScoredToken& token)>& visit,
            const std::function<bool(const windows::WorkUnit& unit)>& wanted) {
  windows::WorkUnitCursor units(options, documents);
  std::uint64_t first_window = 0;
  for (windows::WorkUnit unit; units.next(unit);) {
    const std::uint64_t window = first_window;
    first_window += unit.windows.size();
    if (wanted && !wanted(unit)) continue;
    const journal::UnitResult result = result_of(unit.index);
    if (result.tokens() != static_cast<std::size_t>(unit.scored)) {
      throw io::Error(io::ErrorKind::bad_data, fmt::format("work unit {} has results of {} tokens, not of {}",
                                                           unit.index, result.tokens(), unit.scored));
    }
    tokens.read(unit);
    std::size_t at = 0;
    tokens.for_each(unit, window, [&](std::size_t, tally::ScoredToken& token) {
      token.nats = result.nll[at];
      token.nll = {};
      token.nll.add(token.nats);
      token.entropy_nats = result.entropy[at];
      token.top_probability = result.top_probability[at];
      token.likelier = result.rank[at];
      if (result.has_baseline) token.baseline = {result.kl[at], result.baseline_nll[at], result.same_top[at] != 0};
      ++at;
      visit(token);
    });
  }
}

}  // namespace chainrule::pipeline::evaluate::scoring

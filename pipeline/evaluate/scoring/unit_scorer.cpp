#include "pipeline/evaluate/scoring/unit_scorer.h"

namespace chainrule::pipeline::evaluate::scoring {

const journal::UnitResult& UnitScorer::score(const windows::WorkUnit& unit) {
  tokens_.read(unit);
  scores_.resize(static_cast<std::size_t>(unit.rows));
  const bool compares = compare_ != nullptr;
  if (compares) {
    baseline_.resize(static_cast<std::size_t>(unit.rows));
    compare_(tokens_.batch(), scores_.view(), baseline_.view());
  } else {
    score_(tokens_.batch(), scores_.view());
  }
  result_.unit = unit.index;
  result_.resize(static_cast<std::size_t>(unit.scored), compares);
  std::size_t at = 0;
  tokens_.for_each(unit, 0, [&](std::size_t row, const tally::ScoredToken&) {
    result_.nll[at] = scores_.nll[row];
    result_.entropy[at] = scores_.entropy[row];
    result_.top_probability[at] = scores_.top_probability[row];
    result_.rank[at] = scores_.rank[row];
    if (compares) {
      result_.kl[at] = baseline_.kl[row];
      result_.baseline_nll[at] = baseline_.nll[row];
      result_.same_top[at] = baseline_.same_top[row];
    }
    ++at;
  });
  return result_;
}

}  // namespace chainrule::pipeline::evaluate::scoring

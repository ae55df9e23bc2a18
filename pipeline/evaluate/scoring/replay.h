#pragma once
#include <functional>

#include "pipeline/evaluate/journal/unit_result.h"
#include "pipeline/evaluate/scoring/unit_tokens.h"
#include "pipeline/evaluate/tally/scored_token.h"

namespace chainrule::pipeline::evaluate::scoring {

/// The result of a unit.
using ResultOfUnit = std::function<journal::UnitResult(std::uint64_t unit)>;

/// Calls visit with every scored token of an evaluation (of the units that are wanted, where that is asked), in the
/// order of its windows, whoever scored it when. Throws what result_of and reading throw, and io::Error bad_data where
/// a result is not of as many tokens as its unit.
void replay(const windows::WorkUnitOptions& options, const io::tokens::DocumentTable& documents, UnitTokens tokens,
            const ResultOfUnit& result_of, const std::function<void(const tally::ScoredToken& token)>& visit,
            const std::function<bool(const windows::WorkUnit& unit)>& wanted = nullptr);

}  // namespace chainrule::pipeline::evaluate::scoring

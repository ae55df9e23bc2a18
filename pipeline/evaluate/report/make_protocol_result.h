#pragma once
#include "pipeline/evaluate/report/evaluation_report.h"
#include "pipeline/evaluate/tally/protocol_tallies.h"

namespace chainrule::pipeline::evaluate::report {

/// The tallies that the numbers of a protocol need.
tally::ProtocolTallies tallies_of_protocol(const windows::protocol::ScoringOptions& options);

/// Of an evaluation whose summary is `overall`. documents: those that are covered. prefix_token: see ProtocolResult.
ProtocolResult make_protocol_result(const windows::protocol::ScoringOptions& options,
                                    std::optional<std::uint32_t> prefix_token,
                                    const io::tokens::DocumentTable& documents, const EvaluationSummary& overall,
                                    const tally::ProtocolTallies& tallies);

}  // namespace chainrule::pipeline::evaluate::report

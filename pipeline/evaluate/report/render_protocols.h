#pragma once
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "pipeline/evaluate/report/protocol_result.h"
#include "pipeline/windows/protocol/protocol.h"

namespace chainrule::pipeline::evaluate::report {

/// One protocol of an evaluation by all of them.
struct ProtocolLine {
  windows::protocol::ScoringOptions windows;
  std::string why_not;  ///< why it cannot score the data; the rest is then empty
  ProtocolResult result;
  std::uint64_t tokens_scored = 0;  ///< with a finite result
  std::string prefix;               ///< the spelling of result.prefix_token
};

/// protocols.json, format version 1.
nlohmann::ordered_json render_protocols_json(std::span<const ProtocolLine> lines);

/// The table for a person: a line a number, then in a line each what was left out and why numbers differ.
std::string render_protocols_table(std::span<const ProtocolLine> lines);

/// What a protocol's own numbers are of, for the table of a single one: a line each.
std::string render_protocol(const ProtocolResult& result);

}  // namespace chainrule::pipeline::evaluate::report

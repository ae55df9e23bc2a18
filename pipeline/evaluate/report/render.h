#pragma once
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "io/tokens/token_stream.h"
#include "pipeline/evaluate/report/evaluation_report.h"

namespace chainrule::pipeline::evaluate::report {

/// Takes the next piece of a rendering, so that long ones are never held whole.
using TextSink = std::function<void(std::string_view piece)>;

/// report.json, format version 2: results only, nothing of the run that made them. Undefined values are null.
nlohmann::ordered_json render_json(const EvaluationReport& report);
/// Its part of it.
nlohmann::ordered_json render_json(const ProtocolResult& result);

/// A JSON document as it lies in a file.
std::string to_text(const nlohmann::ordered_json& json);

/// domains.csv (RFC 4180): a line a domain, then `overall`. Undefined values are empty.
std::string render_domains_csv(const EvaluationReport& report);

/// bands.csv (RFC 4180): a line a band of each kind (context, document_length, token_frequency).
std::string render_bands_csv(const EvaluationReport& report);

/// documents.csv (RFC 4180): a line for each document that is covered, the first of data's.
void render_documents_csv(const io::tokens::TokenStream& data, std::uint64_t covered,
                          const tally::DocumentTallies& tallies, const TextSink& sink);

/// sources.csv (RFC 4180): a line for each run of documents of one file.
void render_sources_csv(const io::tokens::TokenStream& data, std::uint64_t covered,
                        const tally::DocumentTallies& tallies, const TextSink& sink);

/// The table for a person.
std::string render_table(const EvaluationReport& report);

}  // namespace chainrule::pipeline::evaluate::report

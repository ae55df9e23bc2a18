#pragma once
#include <cstdint>
#include <vector>

#include "io/tokenizer/tokenizer.h"
#include "pipeline/evaluate/page/report_page.h"
#include "pipeline/evaluate/plan.h"
#include "pipeline/evaluate/scoring/replay.h"
#include "pipeline/evaluate/tally/document_tallies.h"

namespace chainrule::pipeline::evaluate {

/// The documents that surprise the model most and least, by nats a token, among those of some length; a few of each,
/// as many of their tokens as a page has room for. Throws what replay and reading throw.
std::vector<page::ShownDocument> shown_documents(const EvaluationPlan& plan, const io::tokens::TokenStream& data,
                                                 const scoring::ResultOfUnit& result_of,
                                                 const tally::DocumentTallies& tallies,
                                                 const io::tokenizer::Tokenizer& tokenizer);

}  // namespace chainrule::pipeline::evaluate

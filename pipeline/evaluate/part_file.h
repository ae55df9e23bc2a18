#pragma once
#include <filesystem>

#include "pipeline/evaluate/journal/journal.h"
#include "pipeline/evaluate/plan.h"
#include "pipeline/evaluate/scoring/score_corpus.h"

// Where results lie until they are a report.
namespace chainrule::pipeline::evaluate {

/// The journal of a report or of a part that is to be: PLACE.journal.
std::filesystem::path journal_file(const std::filesystem::path& place);

/// A part of a report: REPORT.part-2-of-4, a whole journal.
std::filesystem::path part_file(const std::filesystem::path& report, const scoring::Part& part);

/// Whether this part is there already. Throws io::Error cannot_create where it is of another evaluation, bad_data where
/// it is no part.
bool is_made(const std::filesystem::path& part, const EvaluationPlan& plan);

/// Puts a journal in a part's place. Throws io::Error (input_output, cannot_create).
void publish_part(const journal::Journal& journal, const std::filesystem::path& part);

/// Once its report is in place. That it could not be removed is said, and is no failure.
void remove_journal(const journal::Journal& journal);

}  // namespace chainrule::pipeline::evaluate

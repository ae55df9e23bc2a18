#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "pipeline/evaluate/report/evaluation_report.h"

namespace chainrule::pipeline::evaluate::report {

/// What a report.json says; rendered again it is the same bytes. Throws io::Error: missing_input where it is not there;
/// bad_data naming it where it is no report, of another format version, of a protocol that this program does not know,
/// or has other members or values than this program would have written.
EvaluationReport read_report(const std::filesystem::path& path);

/// The same of its text; name is what messages call it.
EvaluationReport parse_report(std::string_view text, const std::string& name);

}  // namespace chainrule::pipeline::evaluate::report

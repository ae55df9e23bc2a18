#pragma once
#include <string>

#include "pipeline/evaluate/compare/compare_reports.h"

namespace chainrule::pipeline::evaluate::page {

/// A page in HTML that stands alone, as render_report_page() makes it, of reports compared with the first of them.
/// command: how they were compared.
std::string render_comparison_page(const compare::Comparisons& comparisons, const std::string& command);

}  // namespace chainrule::pipeline::evaluate::page

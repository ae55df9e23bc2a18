#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/evaluate/report/evaluation_report.h"

namespace chainrule::pipeline::evaluate::page {

/// Bars of the bands' cross-entropy as an inline SVG.
std::string band_chart(const std::vector<report::BandSummary>& bands);

/// Observed against expected share of hits, a dot a bin whose area grows with its tokens.
std::string calibration_chart(const std::vector<report::CalibrationBin>& bins);

/// One bar of all documents: those that are better, the same, worse.
std::string shares_chart(std::uint64_t better, std::uint64_t same, std::uint64_t worse);

}  // namespace chainrule::pipeline::evaluate::page

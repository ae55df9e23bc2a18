#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "io/tokens/token_stream.h"
#include "pipeline/evaluate/plan.h"
#include "pipeline/evaluate/replay.h"
#include "pipeline/evaluate/report/report_folder.h"

namespace chainrule::pipeline::evaluate {

/// Sums up every unit's result and writes the report folder, which then lies in its place: its bytes depend on plan,
/// data and results alone (keep_tokens: with tokens.h5, see tally::TokenFile), but for environment.json, which is made
/// last, when the report is known. Throws what replay and writing throw.
using MakeEnvironment = std::function<nlohmann::ordered_json(const report::EvaluationReport& report)>;
report::EvaluationReport write_results(const EvaluationPlan& plan, const io::tokens::TokenStream& data,
                                       const ResultOfUnit& result_of, bool keep_tokens, report::ReportFolder& folder,
                                       const MakeEnvironment& make_environment);

/// What is said of tokens without a finite result once the report is written.
std::string nonfinite_message(std::uint64_t tokens, const std::filesystem::path& report);

}  // namespace chainrule::pipeline::evaluate

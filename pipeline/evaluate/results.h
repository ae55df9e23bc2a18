#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "io/tokenizer/tokenizer.h"
#include "io/tokens/token_stream.h"
#include "pipeline/evaluate/plan.h"
#include "pipeline/evaluate/report/report_folder.h"
#include "pipeline/evaluate/scoring/replay.h"
#include "pipeline/evaluate/writers/formats.h"

namespace chainrule::pipeline::evaluate {

struct ResultOptions {
  bool keep_tokens = false;                                    ///< write tokens.h5, see tally::TokenFile
  std::string command;                                         ///< what report.html says how to reproduce it
  std::function<const io::tokenizer::Tokenizer&()> tokenizer;  ///< for report.html, which does without where it throws
  writers::Formats write;                                      ///< other programs' files
};

/// Sums up every unit's result and writes the report folder, which then lies in its place: its bytes depend on plan,
/// text and results alone, but for environment.json, report.html, which shows it, and other programs' files, which hold
/// times. text: what the plan's windows lie over. Throws what replay and writing throw.
using MakeEnvironment = std::function<nlohmann::ordered_json(const report::EvaluationReport& report)>;
report::EvaluationReport write_results(const EvaluationPlan& plan, const io::tokens::TokenStream& text,
                                       const scoring::ResultOfUnit& result_of, const ResultOptions& options,
                                       report::ReportFolder& folder, const MakeEnvironment& make_environment);

/// The same into a folder that is being written and is not yet put in its place. place: "" or "NAME/", which is there.
report::EvaluationReport write_files(const EvaluationPlan& plan, const io::tokens::TokenStream& text,
                                     const scoring::ResultOfUnit& result_of, const ResultOptions& options,
                                     const report::ReportFolder& folder, const std::string& place,
                                     const MakeEnvironment& make_environment);

/// What is said of tokens without a finite result once the report is written.
std::string nonfinite_message(std::uint64_t tokens, const std::filesystem::path& report);

}  // namespace chainrule::pipeline::evaluate

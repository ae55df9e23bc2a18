#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/evaluate/report/evaluation_report.h"
#include "pipeline/evaluate/writers/formats.h"

namespace chainrule::pipeline::evaluate {

struct MergeOptions {
  std::vector<std::filesystem::path> parts;  ///< what `evaluate --part` wrote, in any order
  std::filesystem::path report;              ///< folder to be made
  bool keep_tokens = false;                  ///< with every token's score
  std::string command;                       ///< how it was called, for report.html
  std::filesystem::path data;                ///< where the data set lies now; empty: where it lay
  writers::Formats write;                    ///< other programs' files that the report holds besides
};

/// Makes of all parts of an evaluation the report that one run would have made, to the byte but for environment.json.
/// Throws io::Error and failure::Error: missing_input, cannot_create; bad_data naming the part where one is damaged, of
/// another evaluation, missing or given twice, or where the data set is another one; usage where lm-eval's files are
/// asked for of parts by another protocol.
report::EvaluationReport merge_parts(const MergeOptions& options, const std::string& program);

}  // namespace chainrule::pipeline::evaluate

#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "io/tokens/remade_stream.h"
#include "pipeline/evaluate/report/evaluation_report.h"
#include "pipeline/evaluate/scoring/score_corpus.h"
#include "pipeline/windows/work_units.h"

namespace chainrule::pipeline::evaluate {

/// All that decides what an evaluation's units are and say, and where its inputs lie: enough to make its report of its
/// units' results.
struct EvaluationPlan {
  report::EvaluationSubject subject;
  std::int64_t micro_batch = 0;
  std::uint32_t start_token = 0;  ///< what documents and padding are read behind
  std::string math = "float32";   ///< of products; or "bf16"
  io::tokens::Template around;    ///< of the tokenizer, for protocols whose text has it
  scoring::Part part;
  std::filesystem::path model, data;
  std::optional<report::BaselineModel> baseline;  ///< what the model is compared with
  std::filesystem::path baseline_path;            ///< where that lies
  std::string conditions;                         ///< run::conditions_of: what bits depend on besides

  windows::WorkUnitOptions units() const { return {subject.windows, micro_batch}; }
  /// What its windows lie over: Text::documents also where nothing is to be put around them.
  windows::protocol::Text text() const;
  /// What its windows are read behind; nothing: each behind its own first token.
  std::optional<std::uint32_t> prefix_token() const;
  /// What decides what units say, in a line, but for the protocol's name: not where things lie, nor the part.
  std::string scored() const;
  /// The same with the protocol.
  std::string identity() const;
};

/// Warns where what lies at path was not scored under the conditions `now`: then bits may differ.
void warn_of_other_conditions(const std::filesystem::path& path, const std::string& then, const std::string& now);

/// As a JSON text, and back. Throws io::Error bad_data naming `name` where it is none.
std::string to_json_text(const EvaluationPlan& plan);
EvaluationPlan parse_plan(std::string_view text, const std::string& name);

}  // namespace chainrule::pipeline::evaluate

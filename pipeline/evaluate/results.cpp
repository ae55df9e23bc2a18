#include "pipeline/evaluate/results.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "pipeline/evaluate/report/render.h"
#include "pipeline/evaluate/tally/token_file.h"

namespace chainrule::pipeline::evaluate {

report::EvaluationReport write_results(const EvaluationPlan& plan, const io::tokens::TokenStream& data,
                                       const ResultOfUnit& result_of, bool keep_tokens, report::ReportFolder& folder,
                                       const MakeEnvironment& make_environment) {
  folder.begin();
  tally::EvaluationTallies tallies(data.domains().size(), folder.being_written());
  std::optional<tally::TokenFile> tokens;
  if (keep_tokens) {
    tokens.emplace(folder.being_written() / tally::kTokenFileName,
                   windows::protocol::tokens_to_score(plan.subject.windows, {data, plan.subject.documents}));
  }
  const std::uint64_t covered = plan.subject.documents;
  const io::tokens::DocumentTable documents(data, covered);
  replay(plan.units(), documents, {data, documents, plan.start_token}, result_of, [&](const tally::ScoredToken& token) {
    tallies.add(token);
    if (tokens) tokens->add(token);
  });
  if (tokens) tokens->finish();
  report::EvaluationReport report =
      report::make_report(plan.subject, data.domains(), {data, data.document_count()}, tallies);
  folder.write("report.json", report::to_text(report::render_json(report)));
  folder.write("environment.json", report::to_text(make_environment(report)));
  folder.write("domains.csv", report::render_domains_csv(report));
  folder.write("bands.csv", report::render_bands_csv(report));
  folder.write("documents.csv", [&](const report::TextSink& sink) {
    report::render_documents_csv(data, covered, tallies.documents, sink);
  });
  folder.write("sources.csv", [&](const report::TextSink& sink) {
    report::render_sources_csv(data, covered, tallies.documents, sink);
  });
  folder.commit();
  return report;
}

std::string nonfinite_message(std::uint64_t tokens, const std::filesystem::path& report) {
  return fmt::format("{} tokens have no finite result; the report in '{}' counts them and gives no overall values",
                     tokens, report.string());
}

}  // namespace chainrule::pipeline::evaluate

#include "pipeline/evaluate/results.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "pipeline/evaluate/report/make_protocol_result.h"
#include "pipeline/evaluate/report/render.h"

namespace chainrule::pipeline::evaluate {

report::EvaluationReport write_files(const EvaluationPlan& plan, const io::tokens::TokenStream& text,
                                     const ResultOfUnit& result_of, const report::ReportFolder& folder,
                                     const std::string& place, const MakeEnvironment& make_environment) {
  tally::EvaluationTallies tallies(text.domains().size(), folder.being_written());
  tally::ProtocolTallies of_protocol = report::tallies_of_protocol(plan.subject.windows);
  const std::uint64_t covered = plan.subject.documents;
  const io::tokens::DocumentTable documents(text, covered);
  replay(plan.units(), documents, {text, documents, plan.start_token}, result_of, [&](const tally::ScoredToken& token) {
    tallies.add(token);
    of_protocol.add(token);
  });
  report::EvaluationReport report =
      report::make_report(plan.subject, text.domains(), {text, text.document_count()}, tallies);
  report.protocol =
      report::make_protocol_result(plan.subject.windows, plan.prefix_token(), documents, report.overall, of_protocol);
  folder.write(place + "report.json", report::to_text(report::render_json(report)));
  folder.write(place + "environment.json", report::to_text(make_environment(report)));
  folder.write(place + "domains.csv", report::render_domains_csv(report));
  folder.write(place + "bands.csv", report::render_bands_csv(report));
  folder.write(place + "documents.csv", [&](const report::TextSink& sink) {
    report::render_documents_csv(text, covered, tallies.documents, sink);
  });
  folder.write(place + "sources.csv", [&](const report::TextSink& sink) {
    report::render_sources_csv(text, covered, tallies.documents, sink);
  });
  return report;
}

report::EvaluationReport write_results(const EvaluationPlan& plan, const io::tokens::TokenStream& text,
                                       const ResultOfUnit& result_of, report::ReportFolder& folder,
                                       const MakeEnvironment& make_environment) {
  folder.begin();
  report::EvaluationReport report = write_files(plan, text, result_of, folder, "", make_environment);
  folder.commit();
  return report;
}

std::string nonfinite_message(std::uint64_t tokens, const std::filesystem::path& report) {
  return fmt::format("{} tokens have no finite result; the report in '{}' counts them and gives no overall values",
                     tokens, report.string());
}

}  // namespace chainrule::pipeline::evaluate

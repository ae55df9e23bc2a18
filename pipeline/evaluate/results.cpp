#include "pipeline/evaluate/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>

#include "io/error.h"
#include "io/files/json_text.h"
#include "pipeline/evaluate/page/report_page.h"
#include "pipeline/evaluate/report/make_protocol_result.h"
#include "pipeline/evaluate/report/render.h"
#include "pipeline/evaluate/shown_documents.h"
#include "pipeline/evaluate/tally/baseline_tallies.h"
#include "pipeline/evaluate/tally/token_file.h"
#include "pipeline/evaluate/writers/written_report.h"

namespace chainrule::pipeline::evaluate {

namespace {

/// What a reader wants to know of model, data and machine.
std::vector<std::pair<std::string, std::string>> facts_of(const EvaluationPlan& plan,
                                                          const io::tokens::TokenStream& data,
                                                          const nlohmann::ordered_json& environment) {
  std::vector<std::pair<std::string, std::string>> facts = {
      {"model", plan.model.string()},
      {"weights hash", plan.subject.weights_hash},
      {"step", fmt::format("{}", plan.subject.step)},
      {"data", data.path().string()},
      {"data fingerprint", plan.subject.data_fingerprint},
      {"tokenizer fingerprint", plan.subject.tokenizer_fingerprint},
      {"vocabulary", fmt::format("{}", plan.subject.vocabulary_size)},
      {"micro-batch", fmt::format("{}", plan.micro_batch)},
  };
  if (!plan.subject.average.empty()) facts.emplace_back("average of weights", plan.subject.average);
  if (plan.baseline) {
    facts.emplace_back("baseline", plan.baseline_path.string());
    facts.emplace_back("baseline's weights hash", plan.baseline->weights_hash);
  }
  for (const char* name : {"program", "instruction_set", "operating_system", "ranks", "threads_per_rank", "math",
                           "started", "ended", "scored_tokens_per_second"}) {
    if (!environment.contains(name)) continue;
    const nlohmann::ordered_json& value = environment[name];
    std::string label = name;
    std::replace(label.begin(), label.end(), '_', ' ');
    facts.emplace_back(label, value.is_string() ? value.get<std::string>() : io::files::json_text(value));
  }
  return facts;
}

}  // namespace

report::EvaluationReport write_files(const EvaluationPlan& plan, const io::tokens::TokenStream& text,
                                     const scoring::ResultOfUnit& result_of, const ResultOptions& options,
                                     const report::ReportFolder& folder, const std::string& place,
                                     const MakeEnvironment& make_environment) {
  tally::EvaluationTallies tallies(text.domains().size(), folder.being_written());
  tally::ProtocolTallies of_protocol = report::tallies_of_protocol(plan.subject.windows);
  std::optional<tally::BaselineTallies> of_baseline;
  if (plan.baseline) of_baseline.emplace(folder.being_written());
  std::optional<tally::TokenFile> tokens;
  if (options.keep_tokens) {
    tokens.emplace(folder.being_written() / (place + tally::kTokenFileName),
                   windows::protocol::tokens_to_score(plan.subject.windows, {text, plan.subject.documents}),
                   plan.baseline.has_value());
  }
  const std::uint64_t covered = plan.subject.documents;
  const io::tokens::DocumentTable documents(text, covered);
  scoring::replay(plan.units(), documents, {text, documents, plan.start_token}, result_of,
                  [&](const tally::ScoredToken& token) {
                    tallies.add(token);
                    of_protocol.add(token);
                    if (of_baseline) of_baseline->add(token);
                    if (tokens) tokens->add(token);
                  });
  if (tokens) tokens->finish();
  report::EvaluationReport report =
      report::make_report(plan.subject, text.domains(), {text, text.document_count()}, tallies);
  report.protocol =
      report::make_protocol_result(plan.subject.windows, plan.prefix_token(), documents, report.overall, of_protocol);
  if (of_baseline) {
    of_baseline->finish();
    report.baseline = report::make_baseline_result(*plan.baseline, *of_baseline);
  }
  folder.write(place + "report.json", report::to_text(report::render_json(report)));
  const nlohmann::ordered_json environment = make_environment(report);
  folder.write(place + "environment.json", report::to_text(environment));
  folder.write(place + "domains.csv", report::render_domains_csv(report));
  folder.write(place + "bands.csv", report::render_bands_csv(report));
  folder.write(place + "documents.csv", [&](const report::TextSink& sink) {
    report::render_documents_csv(text, covered, tallies.documents, sink);
  });
  folder.write(place + "sources.csv", [&](const report::TextSink& sink) {
    report::render_sources_csv(text, covered, tallies.documents, sink);
  });
  writers::write_formats(
      options.write,
      {report, text, tallies.documents, plan.model, std::filesystem::absolute(text.path()), plan.math, plan.micro_batch,
       writers::unix_seconds(environment.value("started", std::string())),
       static_cast<std::int64_t>(std::time(nullptr))},
      folder, place);
  page::PageContent page{
      report, text.path().filename().string(), options.command, facts_of(plan, text, environment), {}, {}};
  try {
    page.documents = shown_documents(plan, text, result_of, tallies.documents, options.tokenizer());
    if (page.documents.empty()) page.no_documents = "No document has 16 tokens with a finite result.";
  } catch (const io::Error& error) {
    page.no_documents = fmt::format("Not shown, for want of the tokenizer: {}.", error.what());
  }
  folder.write(place + "report.html", page::render_report_page(page));
  return report;
}

report::EvaluationReport write_results(const EvaluationPlan& plan, const io::tokens::TokenStream& text,
                                       const scoring::ResultOfUnit& result_of, const ResultOptions& options,
                                       report::ReportFolder& folder, const MakeEnvironment& make_environment) {
  folder.begin();
  report::EvaluationReport report = write_files(plan, text, result_of, options, folder, "", make_environment);
  folder.commit();
  return report;
}

std::string nonfinite_message(std::uint64_t tokens, const std::filesystem::path& report) {
  return fmt::format("{} tokens have no finite result; the report in '{}' counts them and gives no overall values",
                     tokens, report.string());
}

}  // namespace chainrule::pipeline::evaluate

#include "pipeline/evaluate/writers/lm_eval.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "io/files/json_text.h"
#include "pipeline/evaluate/report/source_table.h"
#include "pipeline/evaluate/writers/estimates.h"

namespace chainrule::pipeline::evaluate::writers {
namespace {

using Json = nlohmann::ordered_json;

/// Those of a task of loglikelihood_rolling; report.json has them by the same names.
constexpr std::array<std::string_view, 3> kRollingMetrics = {"word_perplexity", "byte_perplexity", "bits_per_byte"};

Json or_null(const auto& value) { return value ? Json(*value) : Json(nullptr); }

Json metrics_of(const WrittenReport& written, const std::string& task) {
  const Estimates estimates = estimates_of(written).overall;
  Json metrics = {{"name", task}, {"alias", task}, {"sample_len", written.report.overall.documents}};
  for (const std::string_view name : kRollingMetrics) {
    const std::optional<Estimate> estimate = estimates.of(measure_named(name));
    metrics[fmt::format("{},none", name)] = estimate ? Json(estimate->value) : Json(nullptr);
    metrics[fmt::format("{}_stderr,none", name)] =
        estimate && estimate->standard_error ? Json(*estimate->standard_error) : Json("N/A");
  }
  return metrics;
}

Json task_config(const WrittenReport& written, const std::string& task) {
  Json config = {{"task", task},
                 {"dataset_path", written.data.string()},
                 {"output_type", "loglikelihood_rolling"},
                 {"num_fewshot", 0},
                 {"repeats", 1}};
  for (const std::string_view name : kRollingMetrics) config["metric_list"].push_back({{"metric", name}});
  config["metadata"] = {{"data_fingerprint", written.report.subject.data_fingerprint}};
  return config;
}

Json run_config(const WrittenReport& written, const std::string& model) {
  const report::EvaluationReport& report = written.report;
  return {{"model", "chainrule"},
          {"model_args",
           {{"model", model},
            {"path", written.model.string()},
            {"max_length", report.subject.windows.context_length},
            {"math", written.math}}},
          {"batch_size", fmt::format("{}", written.micro_batch)},
          {"limit", report.complete() ? Json(nullptr) : Json(report.overall.documents)},
          {"bootstrap_iters", 0}};
}

/// What lm-eval has no key for, and results rest on.
Json of_chainrule(const report::EvaluationReport& report) {
  Json json = {{"version", CHAINRULE_VERSION},
               {"protocol", report.subject.windows.protocol->name},
               {"prefix_token", or_null(report.protocol.prefix_token)},
               {"weights_hash", report.subject.weights_hash},
               {"step", report.subject.step},
               {"data_fingerprint", report.subject.data_fingerprint},
               {"tokenizer_fingerprint", report.subject.tokenizer_fingerprint},
               {"standard_errors", "clustered by document"}};
  if (!report.subject.average.empty()) json["average"] = report.subject.average;
  return json;
}

/// As Python spells a number, which lm-eval does before it writes responses as strings.
std::string spelled(double value) {
  if (!std::isfinite(value)) return "nan";
  const std::string digits = fmt::format("{}", value);
  return digits.find_first_of(".e") == std::string::npos ? digits + ".0" : digits;
}

}  // namespace

Json render_lm_eval_results(const WrittenReport& written) {
  const report::EvaluationReport& report = written.report;
  const std::string task = portable_name(written.data);
  const std::string model = model_name(written);
  Json json;
  json["results"][task] = metrics_of(written, task);
  json["group_subtasks"] = Json::object();
  json["configs"][task] = task_config(written, task);
  json["versions"][task] = nullptr;
  json["n-shot"][task] = 0;
  for (const std::string_view name : kRollingMetrics) json["higher_is_better"][task][std::string(name)] = false;
  json["n-samples"][task] = {{"original", report.overall.documents_in_data}, {"effective", report.overall.documents}};
  json["config"] = run_config(written, model);
  json["git_hash"] = nullptr;
  if (written.started) json["date"] = static_cast<double>(*written.started);
  json["max_length"] = report.subject.windows.context_length;
  json["model_source"] = "chainrule";
  json["model_name"] = model;
  json["model_name_sanitized"] = model;
  for (const char* name :
       {"system_instruction", "system_instruction_sha", "fewshot_as_multiturn", "chat_template", "chat_template_sha"}) {
    json[name] = nullptr;  // as of a model without a chat
  }
  json["chainrule"] = of_chainrule(report);
  return json;
}

void render_lm_eval_samples(const WrittenReport& written, const report::TextSink& sink) {
  const std::uint64_t covered = written.report.subject.documents;
  report::SourceTable sources(written.text, covered);
  report::for_each_document(
      {written.text, covered}, covered, written.tallies,
      [&](std::uint64_t index, const io::tokens::DocumentRecord& document, const tally::TokenTally& tally) {
        const io::tokens::DocumentSource& source = sources[index];
        const bool finite = tally.text.nonfinite() == 0;
        const double likelihood = finite ? 0 - tally.text.nats() : std::nan("");
        const Json number = finite ? Json(likelihood) : Json(nullptr);
        Json sample = {{"doc_id", index}};
        Json& doc = sample["doc"] = {{"domain", written.text.domains()[document.domain]}, {"source", source.file}};
        doc["line"] = source.line == 0 ? Json(nullptr) : Json(source.line);
        doc["text_hash"] = document.text_hash ? Json(fmt::format("{:016x}", *document.text_hash)) : Json(nullptr);
        sample["resps"] = Json::array({Json::array({spelled(likelihood)})});
        sample["filtered_resps"] = Json::array({spelled(likelihood)});
        sample["filter"] = "none";
        sample["metrics"] = kRollingMetrics;
        sample["word_perplexity"] = Json::array({number, document.words});
        sample["byte_perplexity"] = Json::array({number, document.bytes});
        sample["bits_per_byte"] = Json::array({number, document.bytes});
        sink(io::files::json_text(sample) + "\n");
      });
}

}  // namespace chainrule::pipeline::evaluate::writers

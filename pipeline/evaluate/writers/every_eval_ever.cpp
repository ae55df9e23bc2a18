#include "pipeline/evaluate/writers/every_eval_ever.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "pipeline/evaluate/writers/estimates.h"

namespace chainrule::pipeline::evaluate::writers {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchemaVersion = "0.3.0";

/// `perplexity` is a metric that every-eval-ever knows; others have names of ours.
std::string metric_id(std::string_view name) {
  return name == "perplexity" ? std::string(name) : fmt::format("chainrule.{}", name);
}

Json metric_config(const WrittenReport& written, const Measure& measure) {
  const windows::protocol::ScoringOptions& windows = written.report.subject.windows;
  return {
      {"evaluation_description", fmt::format("{}, under protocol {}", measure.description, windows.protocol->name)},
      {"metric_id", metric_id(measure.name)},
      {"metric_name", measure.title},
      {"metric_kind", measure.kind},
      {"metric_unit", measure.unit},
      {"metric_parameters",
       {{"protocol", windows.protocol->name}, {"context_length", windows.context_length}, {"stride", windows.stride}}},
      {"lower_is_better", measure.lower_is_better},
      {"score_type", "continuous"},
      {"min_score", measure.least},
      {"max_score", std::isfinite(measure.most) ? Json(measure.most) : Json("Infinity")}};
}

Json uncertainty_of(const Measure& measure, const Estimate& estimate) {
  Json json = Json::object();
  if (estimate.standard_error) {
    json["standard_error"] = {
        {"value", *estimate.standard_error},
        {"method", measure.exponential ? "analytic: of a ratio of sums clustered by document, by the delta method"
                                       : "analytic: of a ratio of sums clustered by document"}};
  }
  if (estimate.low && estimate.high) {
    json["confidence_interval"] = {
        {"lower", *estimate.low},
        {"upper", *estimate.high},
        {"confidence_level", 0.95},
        {"method", measure.exponential ? "normal distribution of the logarithm, clustered by document"
                                       : "normal distribution, clustered by document"}};
  }
  json["num_samples"] = estimate.documents;
  return json;
}

/// What all results of a report have in common.
class Results {
 public:
  explicit Results(const WrittenReport& written) : written_(written) {
    const report::EvaluationSubject& subject = written.report.subject;
    source_ = {{"dataset_name", portable_name(written.data)}, {"source_type", "other"}};
    source_["additional_details"] = {
        {"path", written.data.string()},
        {"fingerprint", subject.data_fingerprint},
        {"documents", fmt::format("{}", written.report.overall.documents)},
        {"documents_in_data", fmt::format("{}", written.report.overall.documents_in_data)}};
  }

  /// id: what all of these are of.
  void add(const std::string& id, const std::string& name, const Estimates& estimates) {
    for (const Measure& measure : all_measures()) {
      const std::optional<Estimate> estimate = estimates.of(measure);
      if (!estimate) continue;
      Json& made = add(fmt::format("{}/{}", id, measure.name), name, measure, estimate->value);
      made["score_details"]["uncertainty"] = uncertainty_of(measure, *estimate);
    }
  }

  /// Means of windows' means: numbers of a protocol that are no ratio of sums over documents, so without an error.
  void add_means_of_windows(const std::string& name) {
    const auto numbers = written_.report.subject.windows.protocol->numbers;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const report::ProtocolResult::Number& number = written_.report.protocol.numbers[i];
      if (numbers[i].divisor != windows::protocol::Divisor::windows || !number.perplexity) continue;
      const std::string means = fmt::format("windows/{}", number.name);
      Json& made = add(means, name, measure_named("perplexity"), *number.perplexity);
      Json& config = made["metric_config"];
      config["metric_id"] =
          fmt::format("chainrule.{}.{}", config["metric_parameters"]["protocol"].get<std::string>(), number.name);
      config["evaluation_description"] =
          fmt::format("Exponential of {}, as this protocol's own program prints it", number.normaliser);
    }
  }

  Json take() { return std::move(results_); }

 private:
  Json& add(const std::string& id, const std::string& name, const Measure& measure, double score) {
    Json& made = results_.emplace_back();
    made["evaluation_result_id"] = id;
    made["evaluation_name"] = name;
    made["source_data"] = source_;
    if (written_.started) made["evaluation_timestamp"] = fmt::format("{}", *written_.started);
    made["metric_config"] = metric_config(written_, measure);
    made["score_details"] = {{"score", score}};
    return made;
  }

  const WrittenReport& written_;
  Json source_;
  Json results_ = Json::array();
};

Json results_of(const WrittenReport& written) {
  const EstimatesOfReport estimates = estimates_of(written);
  const std::string data = portable_name(written.data);
  Results results(written);
  results.add("overall", data, estimates.overall);
  results.add_means_of_windows(data);
  for (std::size_t i = 0; i < estimates.domains.size(); ++i) {
    const std::string& domain = written.report.domains[i].name;
    results.add(fmt::format("domain/{}", domain), fmt::format("{}: {}", data, domain), estimates.domains[i]);
  }
  return results.take();
}

Json model_info(const WrittenReport& written) {
  const report::EvaluationSubject& subject = written.report.subject;
  Json json = {{"name", model_name(written)},
               {"id", every_eval_ever_model(written)},
               {"inference_engine", {{"name", "chainrule"}, {"version", CHAINRULE_VERSION}}},
               {"additional_details",
                {{"deployment_type", "self_deployed"},
                 {"model_availability", "unknown"},
                 {"path", written.model.string()},
                 {"weights_hash", subject.weights_hash},
                 {"step", fmt::format("{}", subject.step)},
                 {"tokenizer_fingerprint", subject.tokenizer_fingerprint},
                 {"vocabulary_size", fmt::format("{}", subject.vocabulary_size)},
                 {"math", written.math}}}};
  if (!subject.average.empty()) json["additional_details"]["average"] = subject.average;
  return json;
}

Json library(const report::EvaluationReport& report) {
  Json details = {{"protocol", report.subject.windows.protocol->name},
                  {"tokens_scored", fmt::format("{}", report.overall.tokens_scored)},
                  {"nonfinite_tokens", fmt::format("{}", report.overall.nonfinite_tokens)}};
  if (!report.protocol.difference.empty()) details["difference"] = report.protocol.difference;
  return {{"name", "chainrule"}, {"version", CHAINRULE_VERSION}, {"additional_details", details}};
}

}  // namespace

std::string every_eval_ever_model(const WrittenReport& written) {
  const std::string name = model_name(written);
  return fmt::format("local/{}{}", name == "data" ? "_" : "", name);  // its store is found by a folder `data`
}

Json render_every_eval_ever(const WrittenReport& written) {
  Json json;
  json["schema_version"] = kSchemaVersion;
  json["evaluation_id"] =
      fmt::format("{}/{}/{}", portable_name(written.data), every_eval_ever_model(written), written.written);
  if (written.started) json["evaluation_timestamp"] = fmt::format("{}", *written.started);
  json["retrieved_timestamp"] = fmt::format("{}", written.written);
  json["source_metadata"] = {{"source_name", "chainrule"},
                             {"source_type", "evaluation_run"},
                             {"source_organization_name", "unknown"},
                             {"evaluator_relationship", "other"}};
  json["eval_library"] = library(written.report);
  json["model_info"] = model_info(written);
  json["evaluation_results"] = results_of(written);
  return json;
}

}  // namespace chainrule::pipeline::evaluate::writers

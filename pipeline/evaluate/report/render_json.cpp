#include <nlohmann/json.hpp>

#include "io/files/json_text.h"
#include "io/files/versioned_json.h"
#include "pipeline/evaluate/report/json_fields.h"
#include "pipeline/evaluate/report/render.h"

namespace chainrule::pipeline::evaluate::report {
namespace {

using Json = nlohmann::ordered_json;

template <class Value>
Json value_of(const Value& value) {
  return value;
}
template <class Value>
Json value_of(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json value_of(const BaselineResult::Measure& measure) {
  Json json = Json::object();
  for_each_field_of_measure(measure, [&](const char* name, const auto& value) { json[name] = value_of(value); });
  return json;
}

void write_summary(const EvaluationSummary& summary, Json& json) {
  for_each_field_of_summary(summary, [&](const char* name, const auto& value) { json[name] = value_of(value); });
}

auto write_into(Json& object) {
  return [&object](const char* name, const auto& value) { object[name] = value_of(value); };
}

Json json_of(const BaselineResult& result) {
  Json json = Json::object();
  for_each_field_of_baseline(result, write_into(json));
  json["quantiles"] = Json::array();
  for (const auto& each : result.quantiles) {
    for_each_field_of_quantile(each, write_into(json["quantiles"].emplace_back()));
  }
  return json;
}

}  // namespace

Json render_json(const ProtocolResult& result) {
  Json json = Json::object();
  for_each_field_of_protocol(result, write_into(json));
  json["dropped"] = Json::array();
  for (const auto& each : result.dropped) for_each_field_of_dropped(each, write_into(json["dropped"].emplace_back()));
  json["numbers"] = Json::array();
  for (const auto& each : result.numbers) for_each_field_of_number(each, write_into(json["numbers"].emplace_back()));
  return json;
}

Json render_json(const EvaluationReport& report) {
  Json json = io::files::begin_json(kReportFormat);
  json["complete"] = report.complete();
  json["protocol"] = report.subject.windows.protocol->name;
  for_each_field_of_subject(report.subject, [&](const char* name, const auto& value) { json[name] = value; });
  if (!report.subject.average.empty()) json[kAverageField] = report.subject.average;
  json["of_protocol"] = render_json(report.protocol);
  write_summary(report.overall, json);
  for_each_field_of_report(report, write_into(json));
  json["domains"] = Json::object();
  for (const auto& domain : report.domains) write_summary(domain.summary, json["domains"][domain.name]);
  for_each_list_of_bands(report, [&](const char* name, const std::vector<BandSummary>& bands) {
    json[name] = Json::array();
    for (const BandSummary& band : bands) for_each_field_of_band(band, write_into(json[name].emplace_back()));
  });
  json["calibration"] = Json::array();
  for (const CalibrationBin& bin : report.calibration) {
    for_each_field_of_bin(bin, write_into(json["calibration"].emplace_back()));
  }
  if (report.baseline) json["baseline"] = json_of(*report.baseline);
  return json;
}

std::string to_text(const Json& json) {
  // Names come from file systems and may be no UTF-8; JSON must be.
  return io::files::json_text(json, 2) + '\n';
}

}  // namespace chainrule::pipeline::evaluate::report

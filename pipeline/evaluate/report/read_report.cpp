#include "pipeline/evaluate/report/read_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/json_text.h"
#include "io/files/json_values.h"
#include "io/quote.h"
#include "pipeline/evaluate/report/json_fields.h"
#include "pipeline/evaluate/report/render.h"

namespace chainrule::pipeline::evaluate::report {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void refuse_report(const std::string& what) { throw io::Error(io::ErrorKind::bad_data, what); }

template <class Value>
void read(const Json& json, Value& value) {
  io::files::read_value(json, value);
}
template <class Value>
void read(const Json& json, std::optional<Value>& value) {
  value.reset();
  if (!json.is_null()) io::files::read_value(json, value.emplace());
}
void read(const Json& json, BaselineResult::Measure& measure) {
  for_each_field_of_measure(measure, [&](const char* name, auto& value) { read(json.at(name), value); });
}
auto read_from(const Json& object) {
  return [&object](const char* name, auto& value) { read(object.at(name), value); };
}

ProtocolResult protocol_result_of(const Json& json) {
  ProtocolResult result;
  for_each_field_of_protocol(result, read_from(json));
  for (const Json& each : json.at("dropped")) for_each_field_of_dropped(result.dropped.emplace_back(), read_from(each));
  for (const Json& each : json.at("numbers")) for_each_field_of_number(result.numbers.emplace_back(), read_from(each));
  return result;
}

BaselineResult baseline_result_of(const Json& json) {
  BaselineResult result;
  for_each_field_of_baseline(result, read_from(json));
  for (const Json& each : json.at("quantiles")) {
    for_each_field_of_quantile(result.quantiles.emplace_back(), read_from(each));
  }
  return result;
}

EvaluationSummary summary_of(const Json& json) {
  EvaluationSummary summary;
  for_each_field_of_summary(summary, [&](const char* name, auto& value) { read(json.at(name), value); });
  return summary;
}

void check_header(const Json& json) {
  if (!json.is_object() || !json.contains("format") || !io::files::is_format(json, kReportFormat))
    refuse_report("is no evaluation report");
  if (const Json version = json.at("format_version"); version != kReportFormat.version) {
    refuse_report(fmt::format("has format version {}; this program reads {}",
                              io::in_quotes(io::files::json_text(version)), kReportFormat.version));
  }
}

EvaluationReport report_of(const Json& json) {
  check_header(json);
  EvaluationReport report;
  const auto protocol = json.at("protocol").get<std::string>();
  report.subject.windows.protocol = windows::protocol::find(protocol);
  if (report.subject.windows.protocol == nullptr) {
    refuse_report(fmt::format("is of protocol {}, which this program does not know", io::in_quotes(protocol)));
  }
  for_each_field_of_subject(report.subject, [&](const char* name, auto& value) { read(json.at(name), value); });
  if (json.contains(kAverageField)) read(json.at(kAverageField), report.subject.average);
  report.protocol = protocol_result_of(json.at("of_protocol"));
  report.overall = summary_of(json);
  report.subject.documents = report.overall.documents;
  for_each_field_of_report(report, read_from(json));
  for_each_list_of_bands(report, [&](const char* name, std::vector<BandSummary>& bands) {
    for (const Json& band : json.at(name)) for_each_field_of_band(bands.emplace_back(), read_from(band));
  });
  for (const Json& bin : json.at("calibration"))
    for_each_field_of_bin(report.calibration.emplace_back(), read_from(bin));
  for (const auto& [name, domain] : json.at("domains").items()) report.domains.push_back({name, summary_of(domain)});
  if (json.contains("baseline")) report.baseline = baseline_result_of(json.at("baseline"));
  const windows::protocol::ScoringOptions& windows = report.subject.windows;
  if (windows.context_length < 1 || windows.stride < 1 || windows.stride > windows.context_length ||
      report.subject.step < 0) {
    refuse_report("has a context length, a stride or a step that no evaluation has");
  }
  // Numbers of another type, members that are not ours, and what follows from the rest.
  if (io::files::json_text(render_json(report)) != io::files::json_text(json)) {
    refuse_report("has members or values that this program would not have written: it was altered");
  }
  return report;
}

}  // namespace

EvaluationReport parse_report(std::string_view text, const std::string& name) {
  try {
    return report_of(io::files::parse_ordered_json(text));
  } catch (const nlohmann::json::exception& error) {
    refuse_report(fmt::format("'{}' is no evaluation report: {}", name, error.what()));
  } catch (const io::Error& error) {
    refuse_report(fmt::format("'{}' {}", name, error.what()));
  }
}

EvaluationReport read_report(const std::filesystem::path& path) {
  return parse_report(io::files::read_file(path), path.string());
}

}  // namespace chainrule::pipeline::evaluate::report

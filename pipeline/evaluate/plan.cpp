#include "pipeline/evaluate/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/files/json_text.h"
#include "io/files/json_values.h"
#include "io/files/untrusted_json.h"
#include "io/quote.h"
#include "pipeline/evaluate/report/json_fields.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::evaluate {
namespace {

/// Calls field(name, member) for each field that is not the subject's.
template <class Plan, class Field>
void for_each_field(Plan& plan, const Field& field) {
  field("micro_batch", plan.micro_batch);
  field("documents", plan.subject.documents);
  field("start_token", plan.start_token);
  field("math", plan.math);
  field("before_text", plan.around.before);
  field("behind_text", plan.around.after);
  field("has_beginning", plan.subject.windows.has_beginning);
  field("part", plan.part.index);
  field("parts", plan.part.count);
  field("conditions", plan.conditions);
}

void check(const EvaluationPlan& plan) {
  const windows::protocol::ScoringOptions& windows = plan.subject.windows;
  if (windows.context_length >= 1 && windows.stride >= 1 && windows.stride <= windows.context_length &&
      plan.micro_batch >= 1 && plan.micro_batch <= windows::kMostUnitRows / windows.context_length &&
      plan.part.index < plan.part.count) {
    return;
  }
  throw io::Error(io::ErrorKind::bad_data, "has a context length, a stride, a micro-batch or a part that none has");
}

}  // namespace

windows::protocol::Text EvaluationPlan::text() const {
  const windows::protocol::Text text = subject.windows.protocol->text;
  return text == windows::protocol::Text::wrapped && around.empty() ? windows::protocol::Text::documents : text;
}

std::optional<std::uint32_t> EvaluationPlan::prefix_token() const {
  const windows::protocol::Prefix prefix = subject.windows.protocol->prefix;
  if (prefix == windows::protocol::Prefix::none) return std::nullopt;
  if (prefix == windows::protocol::Prefix::beginning && !subject.windows.has_beginning) return std::nullopt;
  return start_token;
}

std::string EvaluationPlan::scored() const {
  const windows::protocol::ScoringOptions& windows = subject.windows;
  std::string said = fmt::format(
      "weights {}, {} documents of data {}, {}, context length {}, stride {}, micro-batch {}, start token {}, {}",
      subject.weights_hash, subject.documents, subject.data_fingerprint, windows.protocol->rule, windows.context_length,
      windows.stride, micro_batch, start_token, math);
  if (windows.has_beginning) said += ", chunks behind it";
  if (baseline) said += fmt::format(", beside the baseline {}", baseline->weights_hash);
  if (text() == windows::protocol::Text::documents) return said;
  return said + fmt::format(", {} text between [{}] and [{}]",
                            text() == windows::protocol::Text::joined ? "joined" : "each",
                            fmt::join(around.before, " "), fmt::join(around.after, " "));
}

std::string EvaluationPlan::identity() const {
  return fmt::format("protocol {}, {}", subject.windows.protocol->name, scored());
}

void warn_of_other_conditions(const std::filesystem::path& path, const std::string& then, const std::string& now) {
  if (then == now) return;
  run::warn(fmt::format("{} was scored with {}, and not with {}: bits may differ", io::path_in_quotes(path),
                        io::in_quotes(then), io::in_quotes(now)));
}

std::string to_json_text(const EvaluationPlan& plan) {
  nlohmann::ordered_json json;
  json["model"] = plan.model.string();
  json["data"] = plan.data.string();
  json["protocol"] = plan.subject.windows.protocol->name;
  const auto write = [&](const char* name, const auto& value) { json[name] = value; };
  report::for_each_field_of_subject(plan.subject, write);
  if (!plan.subject.average.empty()) json[report::kAverageField] = plan.subject.average;
  for_each_field(plan, write);
  if (plan.baseline) {
    json["baseline"] = {{"path", plan.baseline_path.string()},
                        {"weights_hash", plan.baseline->weights_hash},
                        {"step", plan.baseline->step}};
  }
  return io::files::json_text(json);
}

EvaluationPlan parse_plan(std::string_view text, const std::string& name) {
  try {
    const nlohmann::json json = io::files::parse_untrusted_json(text, name);
    EvaluationPlan plan;
    plan.model = json.at("model").get<std::string>();
    plan.data = json.at("data").get<std::string>();
    const auto protocol = json.at("protocol").get<std::string>();
    plan.subject.windows.protocol = windows::protocol::find(protocol);
    if (plan.subject.windows.protocol == nullptr) {
      throw io::Error(io::ErrorKind::bad_data,
                      fmt::format("is of protocol {}, which this program does not know", io::in_quotes(protocol)));
    }
    const auto read = [&](const char* field, auto& value) { io::files::read_value(json.at(field), value); };
    report::for_each_field_of_subject(plan.subject, read);
    if (json.contains(report::kAverageField)) read(report::kAverageField, plan.subject.average);
    for_each_field(plan, read);
    if (json.contains("baseline")) {
      const nlohmann::json& baseline = json.at("baseline");
      plan.baseline_path = baseline.at("path").get<std::string>();
      plan.baseline.emplace();
      baseline.at("weights_hash").get_to(plan.baseline->weights_hash);
      io::files::read_value(baseline.at("step"), plan.baseline->step);
    }
    check(plan);
    return plan;
  } catch (const nlohmann::json::exception& error) {
    throw io::Error(io::ErrorKind::bad_data, fmt::format("'{}' is no part of an evaluation: {}", name, error.what()));
  } catch (const io::Error& error) {
    throw io::Error(io::ErrorKind::bad_data, fmt::format("'{}' {}", name, error.what()));
  }
}

}  // namespace chainrule::pipeline::evaluate

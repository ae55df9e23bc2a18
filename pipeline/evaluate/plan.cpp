#include "pipeline/evaluate/plan.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/files/json_text.h"
#include "io/files/untrusted_json.h"
#include "pipeline/evaluate/report/json_fields.h"

namespace chainrule::pipeline::evaluate {
namespace {

/// Calls field(name, member) for each field that is not the subject's.
template <class Plan, class Field>
void for_each_field(Plan& plan, const Field& field) {
  field("micro_batch", plan.micro_batch);
  field("documents", plan.subject.documents);
  field("start_token", plan.start_token);
  field("part", plan.part.index);
  field("parts", plan.part.count);
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

std::string EvaluationPlan::identity() const {
  const windows::protocol::ScoringOptions& windows = subject.windows;
  return fmt::format("weights {}, {} documents of data {}, protocol {}, context length {}, stride {}, micro-batch {}",
                     subject.weights_hash, subject.documents, subject.data_fingerprint, windows.protocol->name,
                     windows.context_length, windows.stride, micro_batch);
}

std::string to_json_text(const EvaluationPlan& plan) {
  nlohmann::ordered_json json;
  json["model"] = plan.model.string();
  json["data"] = plan.data.string();
  json["protocol"] = plan.subject.windows.protocol->name;
  const auto write = [&](const char* name, const auto& value) { json[name] = value; };
  report::for_each_field_of_subject(plan.subject, write);
  for_each_field(plan, write);
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
                      fmt::format("is of protocol '{}', which this program does not know", protocol));
    }
    const auto read = [&](const char* field, auto& value) { json.at(field).get_to(value); };
    report::for_each_field_of_subject(plan.subject, read);
    for_each_field(plan, read);
    check(plan);
    return plan;
  } catch (const nlohmann::json::exception& error) {
    throw io::Error(io::ErrorKind::bad_data, fmt::format("'{}' is no part of an evaluation: {}", name, error.what()));
  } catch (const io::Error& error) {
    throw io::Error(io::ErrorKind::bad_data, fmt::format("'{}' {}", name, error.what()));
  }
}

}  // namespace chainrule::pipeline::evaluate

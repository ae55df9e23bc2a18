#include "pipeline/models/external/config_fields.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "io/error.h"
#include "io/files/json_values.h"
#include "io/quote.h"

namespace chainrule::pipeline::models::external {

ConfigFields::ConfigFields(const nlohmann::json& json, std::string name) : json_(&json), name_(std::move(name)) {
  if (!json.is_object()) throw io::Error(io::ErrorKind::bad_data, fmt::format("{} is no object", name_));
}

const nlohmann::json* ConfigFields::find(const char* field) {
  asked_.insert(field);
  const auto found = json_->find(field);
  return found == json_->end() || found->is_null() ? nullptr : &*found;
}

bool ConfigFields::has(const char* field) { return find(field) != nullptr; }

bool ConfigFields::is_null(const char* field) { return find(field) == nullptr && json_->contains(field); }

const nlohmann::json& ConfigFields::value(const char* field) {
  static const nlohmann::json kNull;
  const nlohmann::json* found = find(field);
  return found == nullptr ? kNull : *found;
}

std::int64_t ConfigFields::whole_number(const char* field) {
  const nlohmann::json* found = find(field);
  if (found == nullptr) refuse(field, "is absent");
  if (!io::files::is_whole<std::int64_t>(*found)) {
    refuse(field, "is no whole number");
  }
  const auto number = found->get<std::int64_t>();
  constexpr std::int64_t kMost = std::int64_t{1} << 40;  // no size is near it, and sums of sizes stay far from overflow
  if (number < -kMost || number > kMost) refuse(field, "is too large");
  return number;
}

std::int64_t ConfigFields::whole_number(const char* field, std::int64_t otherwise) {
  return has(field) ? whole_number(field) : otherwise;
}

double ConfigFields::number(const char* field, double otherwise) {
  const nlohmann::json* found = find(field);
  if (found == nullptr) return otherwise;
  if (!found->is_number()) refuse(field, "is no number");
  const auto number = found->get<double>();
  if (!(std::abs(number) <= std::numeric_limits<float>::max())) refuse(field, "is too large");
  return number;
}

bool ConfigFields::truth(const char* field, bool otherwise) {
  const nlohmann::json* found = find(field);
  if (found == nullptr) return otherwise && !is_null(field);
  if (!found->is_boolean()) refuse(field, "is neither true nor false");
  return found->get<bool>();
}

std::string ConfigFields::text(const char* field, const std::string& otherwise) {
  const nlohmann::json* found = find(field);
  if (found == nullptr) return otherwise;
  if (!found->is_string()) refuse(field, "is no string");
  return found->get<std::string>();
}

std::optional<ConfigFields> ConfigFields::object(const char* field) {
  const nlohmann::json* found = find(field);
  if (found == nullptr) return std::nullopt;
  return ConfigFields(*found, fmt::format("{}: {}", name_, field));
}

void ConfigFields::ignore(std::initializer_list<const char*> fields) { asked_.insert(fields.begin(), fields.end()); }

void ConfigFields::refuse(const char* field, const std::string& why) const {
  throw io::Error(io::ErrorKind::bad_data, fmt::format("{}: the field '{}' {}", name_, field, why));
}

void ConfigFields::refuse_others() const {
  for (const auto& [field, value] : json_->items()) {
    const bool asks_nothing = value.is_null() || value == false || (value.is_object() && value.empty());
    if (asked_.contains(field) || asks_nothing) continue;
    throw io::Error(io::ErrorKind::bad_data,
                    fmt::format("{}: the field {} asks for something that is not built", name_, io::in_quotes(field)));
  }
}

}  // namespace chainrule::pipeline::models::external

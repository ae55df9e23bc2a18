#pragma once
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

namespace chainrule::pipeline::models::external {

/// The fields of a JSON object, which are asked for one by one; refuse_others() then refuses those that nobody asked
/// for. Everything throws io::Error bad_data naming the object and the field.
class ConfigFields {
 public:
  /// name is what messages call the object.
  ConfigFields(const nlohmann::json& json, std::string name);

  /// Whether the field is there and not null.
  bool has(const char* field);
  /// Whether it is there and null.
  bool is_null(const char* field);
  /// Up to 2^40 either way.
  std::int64_t whole_number(const char* field);
  std::int64_t whole_number(const char* field, std::int64_t otherwise);
  /// Of a float's range.
  double number(const char* field, double otherwise);
  /// null is false, as in Python.
  bool truth(const char* field, bool otherwise);
  std::string text(const char* field, const std::string& otherwise);
  /// The object in a field; empty where there is none or null.
  std::optional<ConfigFields> object(const char* field);
  /// As it is; null where it is absent.
  const nlohmann::json& value(const char* field);

  /// The field may hold what it wants: it changes no probability.
  void ignore(std::initializer_list<const char*> fields);
  /// Refuses the field's value.
  [[noreturn]] void refuse(const char* field, const std::string& why) const;
  /// Refuses the first field that was not asked for, but for those that ask for nothing: null, false, an empty object.
  void refuse_others() const;

 private:
  const nlohmann::json* find(const char* field);

  const nlohmann::json* json_;
  std::string name_;
  std::set<std::string> asked_;
};

}  // namespace chainrule::pipeline::models::external

#include "io/files/versioned_json.h"

#include <nlohmann/json.hpp>

namespace chainrule::io::files {

nlohmann::ordered_json begin_json(const JsonFormat& format) {
  return {{"format", format.name}, {"format_version", format.version}};
}

bool is_format(const nlohmann::json& json, const JsonFormat& format) { return json.at("format") == format.name; }

bool is_version(const nlohmann::json& json, const JsonFormat& format) {
  return json.at("format_version") == format.version;
}

bool is_format(const nlohmann::ordered_json& json, const JsonFormat& format) {
  return json.at("format") == format.name;
}

}  // namespace chainrule::io::files

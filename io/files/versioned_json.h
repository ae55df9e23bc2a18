#pragma once
#include <nlohmann/json_fwd.hpp>

namespace chainrule::io::files {

/// What a JSON file of ours is and in which version: its first two fields, `format` and `format_version`.
struct JsonFormat {
  const char* name;
  int version;
};

/// An object that begins with these fields; the content follows.
nlohmann::ordered_json begin_json(const JsonFormat& format);

/// Whether json says that it is of this format, and of this version of it. Throw nlohmann::json::exception where it
/// says nothing.
bool is_format(const nlohmann::json& json, const JsonFormat& format);
bool is_version(const nlohmann::json& json, const JsonFormat& format);
bool is_format(const nlohmann::ordered_json& json, const JsonFormat& format);

}  // namespace chainrule::io::files

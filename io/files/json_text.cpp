#include "io/files/json_text.h"

#include <nlohmann/json.hpp>

namespace chainrule::io::files {

nlohmann::json parse_json(std::string_view text) { return nlohmann::json::parse(text); }

nlohmann::ordered_json parse_ordered_json(std::string_view text) { return nlohmann::ordered_json::parse(text); }

nlohmann::json parse_json_if_valid(std::string_view text) { return nlohmann::json::parse(text, nullptr, false); }

nlohmann::ordered_json parse_ordered_json_if_valid(std::string_view text) {
  return nlohmann::ordered_json::parse(text, nullptr, false);
}

std::string json_text(const nlohmann::json& json, int indent) { return json.dump(indent); }

std::string json_text(const nlohmann::ordered_json& json, int indent, InvalidUtf8 invalid) {
  using Handler = nlohmann::ordered_json::error_handler_t;
  return json.dump(indent, ' ', false, invalid == InvalidUtf8::refused ? Handler::strict : Handler::replace);
}

std::string json_message(const nlohmann::json& json) {
  std::string message;
  nlohmann::json::to_msgpack(json, message);
  return message;
}

nlohmann::json parse_json_message(std::string_view message) { return nlohmann::json::from_msgpack(message); }

}  // namespace chainrule::io::files

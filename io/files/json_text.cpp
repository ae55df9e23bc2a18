#include "io/files/json_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "io/files/untrusted_json.h"

namespace chainrule::io::files {
namespace {

bool nests_too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char each = text[at];
    if (in_string) {
      if (each == '\\') ++at;
      in_string = each != '"';
    } else if (each == '"') {
      in_string = true;
    } else if (each == '[' || each == '{') {
      if (++depth > kDeepestJson) return true;
    } else if ((each == ']' || each == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

/// Why nlohmann's parser is not to have text: it takes a zero byte for the end, and has no bound of depth.
std::optional<std::string> refusal(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return "a zero byte";
  if (nests_too_deep(text)) return fmt::format("nested deeper than {} levels", kDeepestJson);
  return std::nullopt;
}

template <class Json>
Json parse(std::string_view text) {
  using ParseError = nlohmann::json::parse_error;
  if (const auto why = refusal(text)) throw ParseError::create(101, std::size_t{0}, *why, nullptr);
  try {
    return Json::parse(text);
  } catch (const ParseError& error) {  // it quotes what it read last, which may be the whole of a text
    throw ParseError::create(101, error.byte, "malformed", nullptr);
  } catch (const nlohmann::json::out_of_range&) {  // so does this, of a number
    throw ParseError::create(101, std::size_t{0}, "a number that no double holds", nullptr);
  }
}

template <class Json>
Json parse_if_valid(std::string_view text) {
  return refusal(text) ? Json(nlohmann::detail::value_t::discarded) : Json::parse(text, nullptr, false);
}

template <class Json>
std::string text_of(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

nlohmann::json parse_json(std::string_view text) { return parse<nlohmann::json>(text); }
nlohmann::ordered_json parse_ordered_json(std::string_view text) { return parse<nlohmann::ordered_json>(text); }

nlohmann::json parse_json_if_valid(std::string_view text) { return parse_if_valid<nlohmann::json>(text); }
nlohmann::ordered_json parse_ordered_json_if_valid(std::string_view text) {
  return parse_if_valid<nlohmann::ordered_json>(text);
}

std::string json_text(const nlohmann::json& json, int indent) { return text_of(json, indent); }
std::string json_text(const nlohmann::ordered_json& json, int indent) { return text_of(json, indent); }

std::string json_message(const nlohmann::json& json) {
  std::string message;
  nlohmann::json::to_msgpack(json, message);
  return message;
}

nlohmann::json parse_json_message(std::string_view message) { return nlohmann::json::from_msgpack(message); }

}  // namespace chainrule::io::files

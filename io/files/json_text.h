#pragma once
#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

// Reading and writing JSON. nlohmann's parser and serialiser are templates that take seconds to compile wherever they
// are used: they are used here only.
namespace chainrule::io::files {

/// The value that a text holds. Throws nlohmann::json::exception where it is not JSON, or nests deeper than
/// kDeepestJson: whoever walks or prints a value may recurse. Nothing of the text is in what is said.
nlohmann::json parse_json(std::string_view text);
nlohmann::ordered_json parse_ordered_json(std::string_view text);

/// The same, a value with is_discarded() where the text is not JSON.
nlohmann::json parse_json_if_valid(std::string_view text);
nlohmann::ordered_json parse_ordered_json_if_valid(std::string_view text);

/// json on one line, with an indent of at least 0 on a line a value. Bytes in strings that are no UTF-8 (a path or a
/// job's name may hold some) become U+FFFD, so that whatever was measured can be written.
std::string json_text(const nlohmann::json& json, int indent = -1);
std::string json_text(const nlohmann::ordered_json& json, int indent = -1);

/// json as MessagePack and back, for messages between ranks: strings may be no UTF-8.
std::string json_message(const nlohmann::json& json);
nlohmann::json parse_json_message(std::string_view message);

}  // namespace chainrule::io::files

#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace chainrule::pipeline::evaluate::requests {

/// What is asked for in one line: how likely a continuation is behind a context, or (rolling) how likely a whole text
/// is.
struct Request {
  bool rolling = false;
  std::string context;
  std::string text;        ///< the continuation; the text where rolling
  nlohmann::json id = {};  ///< a string or a whole number, which the answer repeats; null: none was given
};

/// {"context": "...", "continuation": "...", "id": ...} or {"text": "...", "id": ...}. Throws io::Error bad_data,
/// naming `name` ("'r.jsonl', line 3") and the member, for anything else.
Request parse_request(std::string_view line, const std::string& name);

}  // namespace chainrule::pipeline::evaluate::requests

#include "pipeline/evaluate/requests/request.h"

#include <fmt/format.h>

#include "io/error.h"
#include "io/files/untrusted_json.h"
#include "io/quote.h"

namespace chainrule::pipeline::evaluate::requests {
namespace {

[[noreturn]] void refuse_member(const std::string& name, std::string_view why) {
  throw io::Error(io::ErrorKind::bad_data, fmt::format("{}: {}", name, why));
}

std::string take_text(nlohmann::json& json, const char* member, const std::string& name) {
  const auto found = json.find(member);
  if (found == json.end()) refuse_member(name, fmt::format("the member '{}' is missing", member));
  if (!found->is_string()) refuse_member(name, fmt::format("'{}' is no string", member));
  return std::move(found->get_ref<std::string&>());
}

nlohmann::json take_id(nlohmann::json& json, const std::string& name) {
  const auto found = json.find("id");
  if (found == json.end()) return nullptr;
  if (!found->is_string() && !found->is_number_integer())
    refuse_member(name, "'id' is neither a string nor a whole number of 64 bits");
  return std::move(*found);
}

}  // namespace

Request parse_request(std::string_view line, const std::string& name) {
  nlohmann::json json = io::files::parse_untrusted_json(line, name);
  if (!json.is_object()) refuse_member(name, "is not an object");
  Request request;
  request.rolling = json.contains("text");
  for (const auto& [member, value] : json.items()) {
    const bool known = request.rolling ? member == "text" : member == "context" || member == "continuation";
    if (!known && member != "id") {
      refuse_member(name, fmt::format("the member {} is not known{}", io::in_quotes(member),
                                      request.rolling ? " beside 'text'" : ""));
    }
  }
  if (!request.rolling) request.context = take_text(json, "context", name);
  request.text = take_text(json, request.rolling ? "text" : "continuation", name);
  request.id = take_id(json, name);
  return request;
}

}  // namespace chainrule::pipeline::evaluate::requests

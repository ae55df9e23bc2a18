#include "pipeline/infer/generate/prompts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "io/error.h"
#include "io/files/json_text.h"
#include "pipeline/failure/error.h"

namespace chainrule::pipeline::infer::generate {

std::vector<Prompt> parse_prompts(std::string_view content, std::string_view file) {
  std::vector<Prompt> prompts;
  std::uint64_t line = 0;
  const auto refuse = [&](const std::string& why) {
    throw io::Error(io::ErrorKind::bad_data, fmt::format("prompts '{}' line {}: {}", file, line, why));
  };
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t end = std::min(content.find('\n', at), content.size());
    const std::string_view text = content.substr(at, end - at);
    at = end + 1;
    ++line;
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const auto object = io::files::parse_ordered_json_if_valid(text);
    if (object.is_discarded()) refuse("not valid JSON");
    if (!object.is_object()) refuse("not a JSON object");
    const auto prompt = object.find("prompt");
    if (prompt == object.end() || !prompt->is_string()) refuse("no string named \"prompt\"");
    const auto id = object.find("id");
    if (id != object.end() && !id->is_string() && !id->is_number() && !id->is_null()) {
      refuse("\"id\" is neither a string nor a number");
    }
    // A larger integer was rounded when it was read, and the answer would carry another id.
    constexpr double kExact = 9007199254740992;
    if (id != object.end() && id->is_number_float() && std::abs(id->get<double>()) >= kExact) {
      refuse("\"id\" is too large a number to be given back as it is: write it as a string");
    }
    Prompt& each = prompts.emplace_back();
    each.name = fmt::format("prompts '{}' line {}", file, line);
    each.text = prompt->get<std::string>();
    if (id != object.end()) each.id = *id;
  }
  if (prompts.empty()) {
    throw io::Error(io::ErrorKind::bad_data, fmt::format("prompts '{}': there are none", file));
  }
  return prompts;
}

void prepare(std::vector<Prompt>& prompts, const models::TextModel& model, std::optional<std::int64_t> maximum_tokens,
             bool slide) {
  const std::int64_t context = model.model.config.sequence_length;
  if (slide && context < 2)
    throw failure::Error(failure::ExitCode::usage, "--slide: a context of one token cannot let half of it go");
  for (Prompt& prompt : prompts) {
    prompt.tokens = models::context_of(model.tokenizer, prompt.text);
    const auto length = static_cast<std::int64_t>(prompt.tokens.size());
    const std::int64_t room = context - length + 1;  // the last token generated need not be read
    const std::int64_t wanted =
        slide ? kDefaultMaximumTokens : std::clamp<std::int64_t>(room, 1, kDefaultMaximumTokens);
    prompt.maximum_tokens = maximum_tokens.value_or(wanted);
    if (!slide && prompt.maximum_tokens > room) {
      throw failure::Error(
          failure::ExitCode::usage,
          fmt::format("{}: {} tokens (the end-of-text before them included) and {} to be generated are more "
                      "than the model's context of {}; --slide lets the oldest go",
                      prompt.name, length, prompt.maximum_tokens, context));
    }
  }
}

}  // namespace chainrule::pipeline::infer::generate

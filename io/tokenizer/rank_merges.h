#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chainrule::io::tokenizer {

/// The merges of a vocabulary that says which tokens there are and which of them are made first, as tiktoken's and
/// SentencePiece's do: any two tokens whose bytes together are a token make it. tokens: in the order in which they are
/// made, no two alike. The merges of one token stand together (rank by result) and cut it between characters of UTF-8
/// where whole_characters is true, between bytes where not. Throws Error bad_data where there are out of all proportion
/// many; takes time of the order of the tokens' bytes.
std::vector<std::pair<std::string, std::string>> merges_of_ranks(const std::vector<std::string_view>& tokens,
                                                                 bool whole_characters);

}  // namespace chainrule::io::tokenizer

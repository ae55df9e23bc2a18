#include "io/tokenizer/rank_merges.h"

#include <unordered_set>

namespace chainrule::io::tokenizer {

std::vector<std::pair<std::string, std::string>> merges_of_ranks(const std::vector<std::string_view>& tokens,
                                                                 bool whole_characters) {
  const std::unordered_set<std::string_view> known(tokens.begin(), tokens.end());
  std::vector<std::pair<std::string, std::string>> merges;
  for (const std::string_view token : tokens) {
    for (std::size_t at = 1; at < token.size(); ++at) {
      if (whole_characters && (static_cast<unsigned char>(token[at]) & 0xC0U) == 0x80U) continue;
      const std::string_view left = token.substr(0, at);
      const std::string_view right = token.substr(at);
      if (known.contains(left) && known.contains(right)) merges.emplace_back(left, right);
    }
  }
  return merges;
}

}  // namespace chainrule::io::tokenizer

#include "io/tokenizer/rank_merges.h"

#include <algorithm>
#include <numeric>

#include "io/error.h"

namespace chainrule::io::tokenizer {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

/// Which tokens each token begins with: a chain from the longest to the shortest. Found once for all, in time of the
/// order of sorting, however long tokens are.
class Beginnings {
 public:
  explicit Beginnings(const std::vector<std::string_view>& tokens) : tokens_(tokens), longest_(tokens.size(), kNone) {
    std::vector<std::size_t> order(tokens.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return tokens[a] < tokens[b]; });
    std::vector<std::size_t> open;  // each begins with the one before it
    for (const std::size_t each : order) {
      while (!open.empty() && !is_beginning(open.back(), each)) open.pop_back();
      if (!open.empty()) longest_[each] = open.back();
      open.push_back(each);
    }
  }

  /// Their bytes, ascending, but 0.
  std::vector<std::size_t> lengths(std::size_t token) const {
    std::vector<std::size_t> found;
    for (std::size_t at = longest_[token]; at != kNone; at = longest_[at]) {
      if (!tokens_[at].empty()) found.push_back(tokens_[at].size());
    }
    std::reverse(found.begin(), found.end());
    return found;
  }

 private:
  bool is_beginning(std::size_t shorter, std::size_t of) const {
    return tokens_[shorter].size() < tokens_[of].size() && tokens_[of].starts_with(tokens_[shorter]);
  }

  const std::vector<std::string_view>& tokens_;
  std::vector<std::size_t> longest_;
};

bool is_within_character(std::string_view text, std::size_t at) {
  return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> merges_of_ranks(const std::vector<std::string_view>& tokens,
                                                                 bool whole_characters) {
  constexpr std::size_t kMostWays = 16;  // 2 to 4 in vocabularies that there are
  constexpr std::size_t kFewBytes = std::size_t{1} << 20U;
  std::vector<std::string> backwards;
  std::size_t bytes = 0;
  for (const std::string_view token : tokens) {
    backwards.emplace_back(token.rbegin(), token.rend());
    bytes += token.size();
  }
  const std::vector<std::string_view> views(backwards.begin(), backwards.end());
  const Beginnings beginnings(tokens);
  const Beginnings ends(views);
  std::vector<std::pair<std::string, std::string>> merges;
  std::size_t merged_bytes = 0;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    const std::string_view token = tokens[id];
    const std::vector<std::size_t> lefts = beginnings.lengths(id);
    const std::vector<std::size_t> rights = ends.lengths(id);
    auto right = rights.rbegin();
    for (const std::size_t left : lefts) {
      while (right != rights.rend() && token.size() - *right < left) ++right;
      if (right == rights.rend()) break;
      if (token.size() - *right != left || (whole_characters && is_within_character(token, left))) continue;
      merged_bytes += token.size();
      if (merged_bytes > kMostWays * bytes + kFewBytes) {
        throw Error(ErrorKind::bad_data, "can be cut into each other in too many ways");
      }
      merges.emplace_back(token.substr(0, left), token.substr(left));
    }
  }
  return merges;
}

}  // namespace chainrule::io::tokenizer

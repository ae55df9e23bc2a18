#include "io/tokenizer/definition.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "io/error.h"
#include "io/files/digest.h"
#include "io/tokenizer/byte_map.h"
#include "io/tokenizer/splitter.h"

namespace chainrule::io::tokenizer {
namespace {

constexpr std::array<std::string_view, 2> kEndOfTextSpellings = {kEndOfText, "<|end_of_text|>"};

class Assembly {
 public:
  explicit Assembly(const TokenizerSource& source) : source_(source) {}

  TokenizerDefinition run() {
    definition_.pattern = source_.pattern;
    definition_.add_prefix_space = source_.add_prefix_space;
    definition_.ignore_merges = source_.ignore_merges;
    place_tokens();
    place_added();
    check_ids();
    find_bytes();
    resolve_merges();
    find_end_of_text();
    return std::move(definition_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::bad_data, fmt::format("tokenizer '{}': {}", source_.path.string(), what));
  }

  TokenId checked_id(std::uint64_t id, const std::string& spelling) const {
    // Ids are 0 .. V-1 without holes, so none can reach the number of entries.
    const std::size_t entries = source_.vocabulary.size() + source_.added.size();
    if (id >= entries) {
      fail(
          fmt::format("token '{}' has id {}, but {} tokens have no ids beyond {}", spelling, id, entries, entries - 1));
    }
    return static_cast<TokenId>(id);
  }

  void place_tokens() {
    spelled_.resize(source_.vocabulary.size() + source_.added.size());
    id_of_.reserve(source_.vocabulary.size());
    for (const auto& [spelling, raw_id] : source_.vocabulary) {
      const TokenId id = checked_id(raw_id, spelling);
      if (spelled_[id]) fail(fmt::format("tokens '{}' and '{}' have the same id {}", *spelled_[id], spelling, id));
      spelled_[id] = spelling;
      if (!id_of_.emplace(spelling, id).second) fail(fmt::format("token '{}' has two ids", spelling));
    }
  }

  void place_added() {
    is_added_.resize(spelled_.size());
    for (const auto& token : source_.added) {
      const TokenId id = checked_id(token.id, token.spelling);
      if (token.spelling.empty()) fail(fmt::format("the added token of id {} has no spelling", id));
      if (spelled_[id] && (*spelled_[id] != token.spelling || is_added_[id])) {
        fail(fmt::format("tokens '{}' and '{}' have the same id {}", *spelled_[id], token.spelling, id));
      }
      const auto known = id_of_.find(token.spelling);
      if (known != id_of_.end() && known->second != id) {
        fail(fmt::format("added token '{}' has the ids {} and {}", token.spelling, known->second, id));
      }
      spelled_[id] = token.spelling;
      is_added_[id] = true;
      definition_.added.push_back({id, token.special});
    }
    add_end_of_text();
    std::sort(definition_.added.begin(), definition_.added.end(),
              [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  }

  void check_ids() {
    while (!spelled_.empty() && !spelled_.back()) spelled_.pop_back();  // tokens listed twice leave room at the end
    definition_.tokens.resize(spelled_.size());
    for (TokenId id = 0; id < spelled_.size(); ++id) {
      if (!spelled_[id]) fail(fmt::format("no token has the id {}, though ids go up to {}", id, spelled_.size() - 1));
      if (is_added_[id]) {
        definition_.tokens[id] = *spelled_[id];
        continue;
      }
      auto bytes = unspell_bytes(*spelled_[id]);
      if (!bytes || bytes->empty()) {
        fail(fmt::format("token '{}' (id {}) is not a spelling of bytes, nor an added token", *spelled_[id], id));
      }
      definition_.tokens[id] = std::move(*bytes);
    }
  }

  void find_bytes() {
    for (unsigned byte = 0; byte < 256; ++byte) {
      const std::string spelling = spell_bytes(std::string(1, static_cast<char>(byte)));
      const auto found = id_of_.find(spelling);
      if (found == id_of_.end()) fail(fmt::format("the vocabulary lacks byte {} (spelled '{}')", byte, spelling));
      definition_.byte_ids[byte] = found->second;
    }
  }

  TokenId token_of_merge(std::size_t rank, const std::string& spelling) const {
    const auto found = id_of_.find(spelling);
    if (found == id_of_.end()) {
      const auto& [left, right] = source_.merges[rank];
      fail(fmt::format("merge {} ('{}' '{}'): '{}' is not in the vocabulary", rank, left, right, spelling));
    }
    return found->second;
  }

  void resolve_merges() {
    std::unordered_map<std::uint64_t, std::size_t> rank_of;
    rank_of.reserve(source_.merges.size());
    definition_.merges.reserve(source_.merges.size());
    for (std::size_t rank = 0; rank < source_.merges.size(); ++rank) {
      const auto& [left, right] = source_.merges[rank];
      const Merge merge{token_of_merge(rank, left), token_of_merge(rank, right), token_of_merge(rank, left + right)};
      const auto [known, fresh] = rank_of.emplace((std::uint64_t{merge.left} << 32U) | merge.right, rank);
      if (!fresh) fail(fmt::format("merge {} ('{}' '{}') repeats merge {}", rank, left, right, known->second));
      definition_.merges.push_back(merge);
    }
  }

  /// GPT-2's pair of files lists end-of-text among the tokens and does not say that it is special.
  void add_end_of_text() {
    for (const std::string_view spelling : kEndOfTextSpellings) {
      const auto found = id_of_.find(std::string(spelling));
      if (found == id_of_.end() || is_added_[found->second]) continue;
      is_added_[found->second] = true;
      definition_.added.push_back({found->second, true});
    }
  }

  void find_end_of_text() {
    for (const std::string_view spelling : kEndOfTextSpellings) {
      for (const auto& token : definition_.added) {
        if (definition_.tokens[token.id] != spelling || !token.special) continue;
        definition_.end_of_text = token.id;
        return;
      }
    }
    fail(fmt::format("there is no special token '{}'", kEndOfText));
  }

  const TokenizerSource& source_;
  TokenizerDefinition definition_;
  std::vector<std::optional<std::string>> spelled_;  // by id
  std::vector<bool> is_added_;                       // by id
  std::unordered_map<std::string, TokenId> id_of_;   // by spelling
};

void update(files::Digest& digest, std::uint64_t value) {
  std::array<unsigned char, 8> bytes{};
  for (unsigned i = 0; i < 8; ++i) bytes[i] = static_cast<unsigned char>(value >> (8U * i));
  digest.update(bytes.data(), bytes.size());
}

void update(files::Digest& digest, std::string_view text) {
  update(digest, text.size());
  digest.update(text.data(), text.size());
}

}  // namespace

TokenizerDefinition define(const TokenizerSource& source) { return Assembly(source).run(); }

TokenizerDefinition define_trained(const std::vector<Merge>& merges) {
  TokenizerDefinition definition;
  definition.pattern = kGpt2Pattern;
  for (const unsigned char byte : bytes_in_character_order()) {
    definition.byte_ids[byte] = static_cast<TokenId>(definition.tokens.size());
    definition.tokens.emplace_back(1, static_cast<char>(byte));
  }
  definition.merges = merges;
  for (const auto& merge : merges) {
    if (merge.result < definition.tokens.size()) continue;
    definition.tokens.push_back(definition.tokens.at(merge.left) + definition.tokens.at(merge.right));
  }
  definition.end_of_text = static_cast<TokenId>(definition.tokens.size());
  definition.tokens.emplace_back(kEndOfText);
  definition.added.push_back({definition.end_of_text, true});
  return definition;
}

std::string fingerprint_of(const TokenizerDefinition& definition) {
  files::Digest digest;
  update(digest, "chainrule tokenizer 1");
  update(digest, definition.tokens.size());
  for (const auto& token : definition.tokens) update(digest, token);
  for (const TokenId id : definition.byte_ids) update(digest, id);
  update(digest, definition.merges.size());
  for (const auto& merge : definition.merges) {
    update(digest, merge.left);
    update(digest, merge.right);
    update(digest, merge.result);
  }
  update(digest, definition.added.size());
  for (const auto& token : definition.added) {
    update(digest, token.id);
    update(digest, token.special ? 1U : 0U);
  }
  update(digest, definition.end_of_text);
  update(digest, definition.pattern);
  update(digest, definition.add_prefix_space ? 1U : 0U);
  update(digest, definition.ignore_merges ? 1U : 0U);
  return digest.hexadecimal();
}

}  // namespace chainrule::io::tokenizer

#include "io/tokenizer/definition.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "io/error.h"
#include "io/quote.h"
#include "io/tokenizer/byte_map.h"
#include "io/tokenizer/piece_scanner.h"
#include "io/tokenizer/source.h"

namespace chainrule::io::tokenizer {
namespace {

const std::array<std::string, 2> kEndOfTextSpellings = {kEndOfText, "<|end_of_text|>"};

/// Of tokenizers that have none of those.
const std::array<std::string, 3> kOtherEndSpellings = {"</s>", "<｜end▁of▁sentence｜>", "<eos>"};

constexpr std::size_t kMostComparisons = 100'000'000;  ///< of bytes of added tokens

/// Whether a text can hold both so that they share a byte.
bool can_overlap(std::string_view a, std::string_view b) {
  const auto meet = [](std::string_view first, std::string_view second) {  // second begins within first
    for (std::size_t at = 0; at < first.size(); ++at) {
      const std::size_t shared = std::min(first.size() - at, second.size());
      if (first.substr(at, shared) == second.substr(0, shared)) return true;
    }
    return false;
  };
  return meet(a, b) || meet(b, a);
}

/// The first of some spellings that is a special token.
std::optional<TokenId> first_special(const TokenizerDefinition& definition, std::span<const std::string> spellings) {
  for (const std::string& spelling : spellings) {
    for (const AddedToken& token : definition.added) {
      if (token.special && definition.tokens[token.id] == spelling) return token.id;
    }
  }
  return std::nullopt;
}

class Assembly {
 public:
  explicit Assembly(const TokenizerSource& source) : source_(source) {}

  TokenizerDefinition run() {
    definition_.normalizations = source_.normalizations;
    definition_.pre_tokenizations = source_.pre_tokenizations;
    definition_.ignore_merges = source_.ignore_merges;
    definition_.ranked_by_result = source_.ranked_by_result;
    definition_.characters = source_.characters;
    check_growth();
    place_tokens();
    place_added();
    check_ids();
    find_bytes();
    find_unknown();
    resolve_merges();
    find_ties();
    find_end_of_text();
    find_template();
    return std::move(definition_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { refuse_tokenizer(source_.path, what); }

  [[noreturn]] void fail_same_id(const std::string& first, const std::string& second, TokenId id) const {
    fail(fmt::format("tokens {} and {} have the same id {}", in_quotes(first), in_quotes(second), id));
  }

  /// Replacements, each of what the one before made, could make more of a text than there is memory.
  void check_growth() const {
    constexpr double kMost = 1024;  // 3 is Llama's
    double growth = 1;
    for (const Normalization& step : source_.normalizations) {
      const auto* replace = std::get_if<Replace>(&step);
      if (replace == nullptr || replace->by.size() <= replace->text.size()) continue;
      growth *= static_cast<double>(replace->by.size()) / static_cast<double>(replace->text.size());
    }
    if (growth > kMost) {
      fail(fmt::format("its normalizers may make a text {} times as long; the most that is supported is {}", growth,
                       kMost));
    }
  }

  TokenId checked_id(std::uint64_t id, const std::string& spelling) const {
    // Ids are 0 .. V-1 without holes, so none can reach the number of entries.
    const std::size_t entries = source_.vocabulary.size() + source_.added.size();
    if (id >= entries) {
      fail(fmt::format("token {} has id {}, but {} tokens have no ids beyond {}", in_quotes(spelling), id, entries,
                       entries - 1));
    }
    return static_cast<TokenId>(id);
  }

  void place_tokens() {
    spelled_.resize(source_.vocabulary.size() + source_.added.size());
    id_of_.reserve(source_.vocabulary.size());
    for (const auto& [spelling, raw_id] : source_.vocabulary) {
      const TokenId id = checked_id(raw_id, spelling);
      if (spelled_[id]) fail_same_id(*spelled_[id], spelling, id);
      spelled_[id] = spelling;
      if (!id_of_.emplace(spelling, id).second) fail(fmt::format("token {} has two ids", in_quotes(spelling)));
    }
  }

  void place_added() {
    is_added_.resize(spelled_.size());
    for (const auto& token : source_.added) {
      const TokenId id = checked_id(token.id, token.spelling);
      if (token.spelling.empty()) fail(fmt::format("the added token of id {} has no spelling", id));
      if (spelled_[id] && (*spelled_[id] != token.spelling || is_added_[id])) {
        fail_same_id(*spelled_[id], token.spelling, id);
      }
      check_added_id(token.spelling, id);
      spelled_[id] = token.spelling;
      is_added_[id] = true;
      definition_.added.push_back({id, token.special, token.normalized, token.strips_left, token.strips_right,
                                   token.single_word, id_of_.contains(token.spelling)});
    }
    place_normalized();
    add_end_of_text();
    std::sort(definition_.added.begin(), definition_.added.end(),
              [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  }

  /// Hugging Face's library does not believe the ids of added tokens: one that is in the vocabulary has its id there,
  /// the others are numbered from the vocabulary's size in the order of the file.
  void check_added_id(const std::string& spelling, TokenId id) {
    if (source_.trusts_added_ids) return;
    const auto known = id_of_.find(spelling);
    if (known == id_of_.end() && !added_spellings_.insert(spelling).second) {
      fail(fmt::format("added token {} is listed twice", in_quotes(spelling)));
    }
    const std::uint64_t theirs =
        known == id_of_.end() ? source_.vocabulary.size() + added_spellings_.size() - 1 : known->second;
    if (theirs != id) {
      fail(fmt::format("added token {} has the id {}, where the library 'tokenizers' gives it {}", in_quotes(spelling),
                       id, theirs));
    }
  }

  /// Two searches find what one finds where no token of one kind can overlap one of the other: then all are of one
  /// kind, so that an equal tokenizer has an equal definition.
  void place_normalized() {
    if (!source_.normalizations.empty()) return;
    const auto looks_around = [](const auto& token) {
      return token.strips_left || token.strips_right || token.single_word;
    };
    if (std::any_of(source_.added.begin(), source_.added.end(), looks_around)) return;
    std::vector<std::string_view> kinds[2];
    for (const auto& token : source_.added) kinds[token.normalized ? 1 : 0].push_back(token.spelling);
    std::size_t bytes[2] = {};
    for (const auto& token : source_.added) bytes[token.normalized ? 1 : 0] += token.spelling.size();
    if (bytes[1] == 0 || bytes[0] <= kMostComparisons / bytes[1]) {
      for (const std::string_view first : kinds[0]) {
        for (const std::string_view second : kinds[1]) {
          if (can_overlap(first, second)) return;
        }
      }
      for (auto& token : definition_.added) token.normalized = false;
    }
  }

  void check_ids() {
    while (!spelled_.empty() && !spelled_.back()) spelled_.pop_back();  // tokens listed twice leave room at the end
    definition_.tokens.resize(spelled_.size());
    for (TokenId id = 0; id < spelled_.size(); ++id) {
      if (!spelled_[id]) fail(fmt::format("no token has the id {}, though ids go up to {}", id, spelled_.size() - 1));
      if (is_added_[id] || definition_.characters) {
        definition_.tokens[id] = *spelled_[id];
        continue;
      }
      auto bytes = unspell_bytes(*spelled_[id]);
      if (!bytes || bytes->empty()) {
        fail(fmt::format("token {} (id {}) is not a spelling of bytes, nor an added token", in_quotes(*spelled_[id]),
                         id));
      }
      definition_.tokens[id] = std::move(*bytes);
    }
  }

  void find_bytes() {
    definition_.byte_ids.fill(kNoToken);
    if (definition_.characters && !definition_.characters->byte_fallback) return;
    for (unsigned byte = 0; byte < 256; ++byte) {
      const std::string spelling = definition_.characters ? fmt::format("<0x{:02X}>", byte)
                                                          : spell_bytes(std::string(1, static_cast<char>(byte)));
      const auto found = id_of_.find(spelling);
      if (found != id_of_.end()) {
        definition_.byte_ids[byte] = found->second;
      } else if (definition_.characters) {
        fail(fmt::format("'byte_fallback' of the model is not supported without the token '{}'", spelling));
      }
    }
  }

  void find_unknown() {
    const auto& bytes = definition_.byte_ids;
    if (source_.unknown_token.empty() || std::find(bytes.begin(), bytes.end(), kNoToken) == bytes.end()) return;
    const auto found = id_of_.find(source_.unknown_token);
    if (found == id_of_.end()) {
      fail(fmt::format("'unk_token' {} is not in the vocabulary", in_quotes(source_.unknown_token)));
    }
    definition_.unknown = found->second;
    definition_.fuse_unknown = source_.fuse_unknown;
  }

  TokenId token_of_merge(std::size_t rank, const std::string& spelling) const {
    const auto found = id_of_.find(spelling);
    if (found == id_of_.end()) {
      const auto& [left, right] = source_.merges[rank];
      fail(fmt::format("merge {} ({} {}): {} is not in the vocabulary", rank, in_quotes(left), in_quotes(right),
                       in_quotes(spelling)));
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
      if (!fresh) {
        fail(fmt::format("merge {} ({} {}) repeats merge {}", rank, in_quotes(left), in_quotes(right), known->second));
      }
      definition_.merges.push_back(merge);
    }
  }

  void find_ties() {
    for (const std::string& spelling : source_.tied_results) {
      const auto found = id_of_.find(spelling);
      if (found == id_of_.end()) fail(fmt::format("the tied token {} is not in the vocabulary", in_quotes(spelling)));
      definition_.tied_results.push_back(found->second);
    }
    std::sort(definition_.tied_results.begin(), definition_.tied_results.end());
  }

  /// GPT-2's pair of files lists end-of-text among the tokens and does not say that it is special.
  void add_end_of_text() {
    for (const std::string& spelling : kEndOfTextSpellings) {
      const auto found = id_of_.find(spelling);
      if (found == id_of_.end() || is_added_[found->second]) continue;
      is_added_[found->second] = true;
      definition_.added.push_back({.id = found->second, .special = true, .in_vocabulary = true});
    }
  }

  void find_end_of_text() {
    std::optional<TokenId> found = first_special(definition_, kEndOfTextSpellings);
    if (!found) found = first_special(definition_, {&source_.end_token, 1});
    if (!found) found = first_special(definition_, kOtherEndSpellings);
    if (!found) {
      fail(fmt::format("there is no special token '{}', nor another that is known to end a text", kEndOfText));
    }
    definition_.end_of_text = *found;
  }

  TokenId token_of_template(const std::string& spelling, const std::optional<std::uint64_t>& named = {}) const {
    if (named) {
      if (*named < definition_.tokens.size() && *spelled_[*named] == spelling) return static_cast<TokenId>(*named);
      fail(fmt::format("token {}, which goes before or after a text, has not the id {} there", in_quotes(spelling),
                       *named));
    }
    for (TokenId id = 0; id < definition_.tokens.size(); ++id) {
      if (*spelled_[id] == spelling) return id;
    }
    fail(fmt::format("token {}, which goes before or after a text, is not in the vocabulary", in_quotes(spelling)));
  }

  void find_template() {
    for (const auto& token : source_.before) definition_.before.push_back(token_of_template(token.spelling, token.id));
    for (const auto& token : source_.after) definition_.after.push_back(token_of_template(token.spelling, token.id));
    definition_.post_processor = source_.post_processor;
    definition_.start = default_start_of(definition_);
    if (!source_.start_token.empty()) definition_.start = token_of_template(source_.start_token);
    if (!source_.bos_token.empty()) definition_.named_start = token_of_template(source_.bos_token);
    if (!source_.eos_token.empty()) definition_.named_end = token_of_template(source_.eos_token);
  }

  const TokenizerSource& source_;
  TokenizerDefinition definition_;
  std::vector<std::optional<std::string>> spelled_;  // by id
  std::vector<bool> is_added_;                       // by id
  std::unordered_map<std::string, TokenId> id_of_;   // by spelling, of the vocabulary
  std::unordered_set<std::string> added_spellings_;  // of added tokens outside the vocabulary
};

}  // namespace

TokenizerDefinition define(const TokenizerSource& source) { return Assembly(source).run(); }

std::string spelling_of(const TokenizerDefinition& definition, TokenId id) {
  const auto before = [](const AddedToken& token, TokenId other) { return token.id < other; };
  const auto added = std::lower_bound(definition.added.begin(), definition.added.end(), id, before);
  const bool is_added = added != definition.added.end() && added->id == id;
  return definition.characters || is_added ? definition.tokens[id] : spell_bytes(definition.tokens[id]);
}

TokenId default_start_of(const TokenizerDefinition& definition) {
  return definition.before.empty() ? definition.end_of_text : definition.before.front();
}

bool ends_by_default(const TokenizerDefinition& definition) {
  auto found = first_special(definition, kEndOfTextSpellings);
  if (!found) found = first_special(definition, kOtherEndSpellings);
  return found == definition.end_of_text;
}

TokenizerDefinition define_trained(const std::vector<Merge>& merges) {
  TokenizerDefinition definition;
  definition.pre_tokenizations = {Split{.pattern = kGpt2Pattern}};
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
  definition.start = definition.end_of_text;
  definition.tokens.emplace_back(kEndOfText);
  definition.added.push_back({.id = definition.end_of_text, .special = true, .in_vocabulary = true});
  return definition;
}

void refuse_tokenizer(const std::filesystem::path& path, const std::string& what) {
  throw Error(ErrorKind::bad_data, fmt::format("tokenizer {}: {}", path_in_quotes(path), what));
}

}  // namespace chainrule::io::tokenizer

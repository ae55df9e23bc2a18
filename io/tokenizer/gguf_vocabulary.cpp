#include "io/tokenizer/gguf_vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "io/error.h"
#include "io/quote.h"
#include "io/text/characters.h"
#include "io/tokenizer/piece_scanner.h"
#include "io/tokenizer/rank_merges.h"
#include "io/tokenizer/source.h"

namespace chainrule::io::tokenizer {
namespace {

enum TokenType : std::int64_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

constexpr const char* kMetaspace = "▁";

/// What the name of a pre-tokenizer stands for.
struct Named {
  std::vector<PreTokenization> steps;
  bool ignore_merges = false;
  bool composes = false;
  bool adds_start = false;  ///< where the file does not say
};

const std::map<std::string, Named>& known_names() {
  const PreTokenization gpt2 = Split{.pattern = kGpt2Pattern};
  const Named llama3{
      .steps = {Split{.pattern = kLlama3Pattern}}, .ignore_merges = true, .composes = false, .adds_start = true};
  static const std::map<std::string, Named> kNames = {
      {"gpt-2", {{gpt2}}},
      {"olmo", {{gpt2}, false, true}},
      {"smollm", {{CutDigits{true}, gpt2}}},
      {"llama-bpe", llama3},
      {"llama3", llama3},
      {"llama-v3", llama3},
      {"llama4", {{Split{.pattern = kLlama4Pattern}}, true, false}},
      {"qwen2", {{Split{.pattern = kQwen2Pattern}}, false, true}},
      {"qwen35", {{Split{.pattern = kQwen35Pattern}}, false, true}},
      {"deepseek-v3",
       {{Split{.pattern = kNumbersOfThree}, Split{.pattern = kDeepSeekIdeographs},
         Split{.pattern = kDeepSeekPattern}}}},
  };
  return kNames;
}

class Builder {
 public:
  explicit Builder(const GgufVocabulary& vocabulary) : vocabulary_(vocabulary) {}

  TokenizerSource run() {
    source_.path = vocabulary_.path;
    source_.trusts_added_ids = true;
    if (vocabulary_.tokens.empty()) fail("tokens", "is empty");
    if (!vocabulary_.token_types.empty()) require_one_a_token(vocabulary_.token_types.size(), "token_type");
    place_tokens();
    if (vocabulary_.model == "gpt2") {
      build_bytes();
    } else if (vocabulary_.model == "llama") {
      build_characters();
    } else {
      fail("model", fmt::format("{} is not supported", in_quotes(vocabulary_.model)));
    }
    name_ends();
    return std::move(source_);
  }

 private:
  [[noreturn]] void fail(std::string_view key, const std::string& what) const {
    throw Error(ErrorKind::bad_data,
                fmt::format("tokenizer {}: 'tokenizer.ggml.{}' {}", path_in_quotes(vocabulary_.path), key, what));
  }

  void require_one_a_token(std::size_t count, std::string_view key) const {
    if (count == vocabulary_.tokens.size()) return;
    fail(key, fmt::format("has {} entries for {} tokens", count, vocabulary_.tokens.size()));
  }

  std::int64_t type_of(std::size_t id) const {
    return vocabulary_.token_types.empty() ? TokenType::normal : vocabulary_.token_types[id];
  }

  const std::string& token(std::uint32_t id, std::string_view key) const {
    if (id >= vocabulary_.tokens.size()) {
      fail(key, fmt::format("{} is outside the vocabulary of {}", id, vocabulary_.tokens.size()));
    }
    return vocabulary_.tokens[id];
  }

  void place_tokens() {
    for (std::size_t id = 0; id < vocabulary_.tokens.size(); ++id) {
      const std::string& spelling = vocabulary_.tokens[id];
      source_.vocabulary.emplace_back(spelling, id);
      switch (type_of(id)) {
        case TokenType::normal:
        case TokenType::byte: break;
        case TokenType::unknown:
        case TokenType::control:
        case TokenType::unused: source_.added.push_back({.spelling = spelling, .id = id, .special = true}); break;
        case TokenType::user_defined:
          source_.added.push_back({.spelling = spelling, .id = id, .special = false});
          break;
        default: fail("token_type", fmt::format("{} of token {} is not known", type_of(id), in_quotes(spelling)));
      }
    }
  }

  void build_bytes() {
    const auto named = known_names().find(vocabulary_.pre);
    if (named == known_names().end()) fail("pre", fmt::format("{} is not supported", in_quotes(vocabulary_.pre)));
    source_.pre_tokenizations = named->second.steps;
    source_.ignore_merges = named->second.ignore_merges;
    adds_start_ = named->second.adds_start;
    if (named->second.composes) source_.normalizations = {ComposeCanonically{}};
    for (const std::string& merge : vocabulary_.merges) {
      const std::size_t space = merge.find(' ', 1);
      if (merge.empty() || space == std::string::npos || space + 1 == merge.size() || space != merge.rfind(' ')) {
        fail("merges", fmt::format("has {}, which is not two tokens with a space between", in_quotes(merge)));
      }
      source_.merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
    }
  }

  void build_characters() {
    source_.characters = CharacterAlphabet{
        .byte_fallback = true, .space = kMetaspace, .strips_first_space = vocabulary_.add_space_prefix};
    if (vocabulary_.unknown_token_id) source_.unknown_token = token(*vocabulary_.unknown_token_id, "unknown_token_id");
    if (vocabulary_.add_space_prefix) source_.normalizations.emplace_back(Prepend{kMetaspace});
    source_.normalizations.emplace_back(Replace{" ", kMetaspace});
    const std::vector<std::string_view> tokens = tokens_by_score();
    try {
      source_.merges = merges_of_ranks(tokens, true);
    } catch (const Error& error) {
      fail("tokens", error.what());
    }
    source_.ranked_by_result = true;
    adds_start_ = true;
  }

  /// What merges may make, the likeliest first.
  std::vector<std::string_view> tokens_by_score() {
    require_one_a_token(vocabulary_.scores.size(), "scores");
    std::vector<std::size_t> ids;
    for (std::size_t id = 0; id < vocabulary_.tokens.size(); ++id) {
      if (type_of(id) != TokenType::normal) continue;
      if (std::isnan(vocabulary_.scores[id])) fail("scores", fmt::format("of token {} is no number", id));
      ids.push_back(id);
    }
    std::stable_sort(ids.begin(), ids.end(),
                     [&](std::size_t a, std::size_t b) { return vocabulary_.scores[a] > vocabulary_.scores[b]; });
    find_ties(ids);
    std::vector<std::string_view> tokens;
    for (const std::size_t id : ids) tokens.emplace_back(vocabulary_.tokens[id]);
    return tokens;
  }

  /// Of tokens of one score the leftmost in a text goes first, whichever it is. Llama 2's runs of spaces are such.
  void find_ties(const std::vector<std::size_t>& ids) {
    std::optional<std::size_t> before;
    std::optional<float> tied;
    std::size_t merged = 0;
    for (const std::size_t id : ids) {
      const std::string& token = vocabulary_.tokens[id];
      if (token.empty() || text::character_at(token, 0).bytes == token.size()) continue;  // no merge makes it
      ++merged;
      const float score = vocabulary_.scores[id];
      if (before && score == vocabulary_.scores[*before]) {
        if (tied && *tied != score) {
          fail("scores",
               fmt::format("of tokens {} and {} are equal, as are others, which is not supported", *before, id));
        }
        if (!tied) source_.tied_results.push_back(vocabulary_.tokens[*before]);
        tied = score;
        source_.tied_results.push_back(token);
      }
      before = id;
    }
    // What a converter writes that finds no scores: llama.cpp then reads texts otherwise than the model learned them.
    if (merged > 1 && source_.tied_results.size() == merged)
      fail("scores", "are all equal, which says nothing of merges");
  }

  void name_ends() {
    if (vocabulary_.eos_token_id) source_.eos_token = token(*vocabulary_.eos_token_id, "eos_token_id");
    if (vocabulary_.bos_token_id) source_.bos_token = token(*vocabulary_.bos_token_id, "bos_token_id");
    source_.end_token = source_.eos_token;
    source_.start_token = source_.bos_token;
    if (vocabulary_.add_bos_token.value_or(adds_start_)) {
      if (!vocabulary_.bos_token_id) fail("bos_token_id", "is not there, and texts begin with it");
      source_.before.push_back({source_.start_token, vocabulary_.bos_token_id});
    }
    if (vocabulary_.add_eos_token) {
      if (!vocabulary_.eos_token_id) fail("eos_token_id", "is not there, and texts end with it");
      source_.after.push_back({source_.end_token, vocabulary_.eos_token_id});
    }
  }

  const GgufVocabulary& vocabulary_;
  TokenizerSource source_;
  bool adds_start_ = false;  ///< a text's start token, where the file does not say
};

}  // namespace

TokenizerDefinition define_gguf(const GgufVocabulary& vocabulary) { return define(Builder(vocabulary).run()); }

}  // namespace chainrule::io::tokenizer

#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "io/tokenizer/tokenizer.h"

namespace chainrule::io::tokenizer {

/// One merge of byte-pair encoding; its rank is its place in the list, the lowest is applied first.
struct Merge {
  TokenId left;
  TokenId right;
  TokenId result;
};

/// A token matched by its spelling instead of being built by merges.
struct AddedToken {
  TokenId id;
  bool special;             ///< matched only where special tokens are asked for; others are always matched
  bool normalized = false;  ///< looked for in what the tokens of which this is false leave over, not in the whole text
};

/// Everything that decides what a tokenizer does, checked; whatever file it came from, an equal tokenizer has an equal
/// definition.
struct TokenizerDefinition {
  std::vector<std::string> tokens;      ///< [vocabulary_size] the bytes of each id; an added token's spelling
  std::array<TokenId, 256> byte_ids{};  ///< the id of each single byte
  std::vector<Merge> merges;            ///< in order of rank
  std::vector<AddedToken> added;        ///< ascending ids
  TokenId end_of_text = 0;
  std::string pattern;            ///< cuts text into pieces; empty: the text is one piece
  bool matches_only = false;      ///< what the pattern leaves out is dropped, not a piece: text is lost
  bool add_prefix_space = false;  ///< a space goes before text that begins with none
  bool ignore_merges = false;     ///< a piece that is a token becomes it without merging
};

/// A tokenizer as its files spell it, not yet checked.
struct TokenizerSource {
  struct Added {
    std::string spelling;
    std::uint64_t id;
    bool special;
    bool normalized = false;
  };
  std::filesystem::path path;                                     ///< for messages
  std::vector<std::pair<std::string, std::uint64_t>> vocabulary;  ///< in the spelling of byte_map.h, but added tokens
  std::vector<std::pair<std::string, std::string>> merges;
  std::vector<Added> added;
  std::string pattern;
  bool matches_only = false;
  bool add_prefix_space = false;
  bool ignore_merges = false;
};

/// Checks that ids are exactly 0 .. V-1, all bytes are there, merges join tokens into tokens, and there is an
/// end-of-text token (`<|endoftext|>`, else `<|end_of_text|>`: special wherever it is in the vocabulary), and that
/// added tokens have the ids that Hugging Face's library would give them. Throws Error bad_data.
TokenizerDefinition define(const TokenizerSource& source);

/// The definition of a byte-level tokenizer in GPT-2's order: 256 bytes, the results of merges, end-of-text. A merge's
/// result is the next free id, or an earlier id of the same bytes.
TokenizerDefinition define_trained(const std::vector<Merge>& merges);

/// XXH3-128 of the definition, 32 hexadecimal digits.
std::string fingerprint_of(const TokenizerDefinition& definition);

/// GPT-2's end-of-text token.
inline constexpr const char* kEndOfText = "<|endoftext|>";

}  // namespace chainrule::io::tokenizer

#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
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
  bool special;              ///< matched only where special tokens are asked for; others are always matched
  bool normalized = false;   ///< looked for in what the tokens of which this is false leave over, normalized
  bool strips_left = false;  ///< takes the white space before it
  bool strips_right = false;
  bool single_word = false;    ///< only where no letter, digit or the like is beside it
  bool in_vocabulary = false;  ///< the model has it too: merges may make it
};

inline constexpr TokenId kNoToken = std::numeric_limits<TokenId>::max();

// What is done to a text, or to a part between added tokens, before it is cut.

/// Canonical composition (Unicode normalization form C).
struct ComposeCanonically {
  bool operator==(const ComposeCanonically&) const = default;
};
struct Prepend {
  std::string text;
  bool operator==(const Prepend&) const = default;
};
struct Replace {
  std::string text;  ///< not empty, not an expression
  std::string by;
  bool operator==(const Replace&) const = default;
};
using Normalization = std::variant<ComposeCanonically, Prepend, Replace>;

// How text is cut into pieces, which no merge crosses. Each step cuts what the steps before it left.

enum class SplitBehavior { isolated, removed, merged_with_previous, merged_with_next, contiguous };

/// Cuts at the matches of a pattern.
struct Split {
  std::string pattern;
  bool literal = false;  ///< the pattern is a string, not a regular expression
  SplitBehavior behavior = SplitBehavior::isolated;
  bool invert = false;  ///< what is between matches counts as the matches
  bool operator==(const Split&) const = default;
};
/// Cuts numbers (categories N*) from the rest, as runs or one by one.
struct CutDigits {
  bool individually;
  bool operator==(const CutDigits&) const = default;
};
/// Puts a space before each piece that begins with none.
struct PrefixSpace {
  bool operator==(const PrefixSpace&) const = default;
};
/// Spells spaces as another character, puts one before a piece, and cuts before each.
struct Metaspace {
  enum class Before { never, first, always };
  std::string replacement;
  Before before;
  bool split;
  bool operator==(const Metaspace&) const = default;
};
using PreTokenization = std::variant<Split, CutDigits, PrefixSpace, Metaspace>;

/// What a piece is before merging where tokens are spelled in characters (as SentencePiece does), not in bytes.
struct CharacterAlphabet {
  bool byte_fallback = false;       ///< a character that is no token becomes the tokens of its bytes, <0x00> to <0xFF>
  std::string space{};              ///< what stands for a space in the spelling of tokens; empty: a space
  bool strips_first_space = false;  ///< decoding leaves out the space that a text begins with
};

/// Everything that decides what a tokenizer does, checked; whatever file it came from, an equal tokenizer has an equal
/// definition.
struct TokenizerDefinition {
  std::vector<std::string> tokens;      ///< [vocabulary_size] the bytes of each id; an added token's spelling. With an
                                        ///< alphabet of characters all are spelled
  std::array<TokenId, 256> byte_ids{};  ///< the id of each single byte, kNoToken for none; all of them are kNoToken, or
                                        ///< none is, with an alphabet of characters
  std::optional<TokenId> unknown{};     ///< what a byte or character without a token becomes; nothing: it is dropped
  bool fuse_unknown = false;            ///< neighbouring unknown ones become one token
  std::vector<Merge> merges;            ///< in order of rank
  bool ranked_by_result = false;        ///< neighbouring merges of one result have one rank: the leftmost goes first
  std::vector<TokenId> tied_results;    ///< ascending; neighbouring merges that make any of these have one rank too
  bool ignore_merges = false;           ///< a piece that is a token becomes it without merging
  std::vector<AddedToken> added;        ///< ascending ids
  std::vector<Normalization> normalizations;
  std::vector<PreTokenization> pre_tokenizations;
  std::optional<CharacterAlphabet> characters;  ///< nothing: byte-level
  TokenId end_of_text = 0;
  TokenId start = 0;  ///< what a text is read behind
  /// What the files call bos_token and eos_token. The latter may end a turn, where end_of_text ends a text.
  std::optional<TokenId> named_start, named_end;
  std::vector<TokenId> before, after;  ///< what the file's template puts around a text. Not done here, but kept
  std::string post_processor;          ///< JSON: where the template is one of tokenizer.json, all that it says
};

/// The definition of a byte-level tokenizer in GPT-2's order: 256 bytes, the results of merges, end-of-text. A merge's
/// result is the next free id, or an earlier id of the same bytes.
TokenizerDefinition define_trained(const std::vector<Merge>& merges);

/// What a text is read behind where nothing else says it: the first token of the template, else end-of-text.
TokenId default_start_of(const TokenizerDefinition& definition);

/// Whether end-of-text is what define() finds without being told.
bool ends_by_default(const TokenizerDefinition& definition);

/// A token as vocabularies spell it: in the spelling of byte_map.h, but added tokens and those of characters.
std::string spelling_of(const TokenizerDefinition& definition, TokenId id);

/// XXH3-128 of all that decides the ids of a text, 32 hexadecimal digits: neither the start token nor the template.
std::string fingerprint_of(const TokenizerDefinition& definition);

/// GPT-2's end-of-text token.
inline constexpr const char* kEndOfText = "<|endoftext|>";

}  // namespace chainrule::io::tokenizer

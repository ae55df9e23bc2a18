#pragma once
#include <cstddef>
#include <string_view>

namespace chainrule::io::tokenizer {

/// The pattern by which GPT-2 cuts text into pieces (Radford et al. 2019). Merges never cross pieces.
inline constexpr const char* kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

/// Those of Llama 3 (and of tiktoken's cl100k_base), Qwen2 and Qwen3.5, and Llama 4 (o200k_base).
inline constexpr const char* kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+)"
    R"(|\s+(?!\S)|\s+)";
inline constexpr const char* kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+)"
    R"(|\s+(?!\S)|\s+)";
inline constexpr const char* kQwen35Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
inline constexpr const char* kLlama4Pattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

/// The three patterns by which DeepSeek V3 cuts, one after the other.
inline constexpr const char* kNumbersOfThree = R"(\p{N}{1,3})";
inline constexpr const char* kDeepSeekIdeographs = "[一-龥぀-ゟ゠-ヿ]+";
inline constexpr const char* kDeepSeekPattern =
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
    "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+";

/// Where the piece of kGpt2Pattern that begins at text[begin] ends: what the pattern matches, without a regular
/// expression engine. begin < text.size(). Characters as in characters.h.
std::size_t gpt2_piece_end(std::string_view text, std::size_t begin);

/// What a scanner found.
struct Scan {
  enum class Found { match, nothing, unknown };
  Found found;
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Finds the matches of a known pattern without a regular expression engine.
struct PieceScanner {
  /// The first match in text at or behind a place before its end; unknown where the engine must be asked: where a
  /// character outside ASCII takes part. Null for patterns that are not known.
  Scan (*scan)(std::string_view text, std::size_t at) = nullptr;
  bool complete = false;  ///< nothing is ever unknown
  /// Every ASCII space begins a match, or continues one of white space, and no match looks behind itself.
  bool cuts_before_spaces = false;
  bool cuts_before_breaks = false;  ///< the same of line breaks
  /// No match holds a space, or depends on one beside it.
  bool leaves_spaces = false;
};

PieceScanner scanner_of(std::string_view pattern);

}  // namespace chainrule::io::tokenizer

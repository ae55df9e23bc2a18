#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "io/tokenizer/pattern.h"

namespace chainrule::io::tokenizer {

/// The pattern by which GPT-2 cuts text into pieces (Radford et al. 2019). Merges never cross pieces.
inline constexpr const char* kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

/// Where the piece of kGpt2Pattern that begins at text[begin] ends: what the pattern matches, without a regular
/// expression engine. begin < text.size(). Characters as in characters.h.
std::size_t gpt2_piece_end(std::string_view text, std::size_t begin);

/// Cuts text into the pieces of a pattern; bytes that the pattern leaves out are pieces too, so that none is lost,
/// unless only the matches are asked for.
class Splitter {
 public:
  /// An empty pattern leaves text whole. Throws Error bad_data where the pattern is not supported.
  explicit Splitter(std::string pattern, bool matches_only = false);

  /// The pieces of one text, from its start to its end.
  class Pieces {
   public:
    /// Sets piece to the next one; false at the end. Throws Error bad_data where matching exceeds the engine's limits.
    bool next(std::string_view& piece);

   private:
    friend class Splitter;
    Pieces(const Splitter& splitter, std::string_view text);
    const Splitter& splitter_;
    std::string_view text_;
    std::size_t at_ = 0;
    std::unique_ptr<Pattern::Matcher> matcher_;  // where the pattern is not GPT-2's
  };
  /// text and the splitter must outlive what is returned.
  Pieces pieces(std::string_view text) const { return Pieces(*this, text); }

  /// Bytes of the longest prefix of text known to have the same pieces whatever text follows it; 0 where that cannot be
  /// known. What follows the prefix then has the same pieces on its own.
  std::size_t settled_prefix(std::string_view text) const;

 private:
  enum class Way { whole, gpt2, expression };
  Way way_;
  bool matches_only_;
  std::unique_ptr<const Pattern> expression_;
};

}  // namespace chainrule::io::tokenizer

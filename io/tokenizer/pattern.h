#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace chainrule::io::tokenizer {

/// A regular expression over Unicode text, as tokenizer files write it. `\s` and `\S` mean the property White_Space:
/// they are written out, because in PCRE2 `\s` also matches U+180E.
class Pattern {
 public:
  /// Throws Error bad_data where the expression is malformed, or uses what this engine (PCRE2) understands otherwise
  /// than the one that the files were made for (Oniguruma): named by translated().
  explicit Pattern(const std::string& expression);
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;
  ~Pattern();

  /// Matches over one text. Bytes that are not UTF-8 match as the control character U+0001 does.
  class Matcher {
   public:
    /// pattern and text must outlive the matcher.
    Matcher(const Pattern& pattern, std::string_view text);
    Matcher(const Matcher&) = delete;
    Matcher& operator=(const Matcher&) = delete;
    ~Matcher();
    /// Where the piece that begins at `begin` ends: the end of the non-empty match that begins there, else the start of
    /// the next such match, else the end of the text. Throws Error bad_data past the engine's limits.
    std::size_t piece_end(std::size_t begin);
    /// Whether the piece whose end was last asked for is a match, not what the expression leaves out.
    bool matched() const;

   private:
    struct State;
    std::unique_ptr<State> state_;
  };

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// expression with `\s` and `\S` written out as the members of White_Space, inside classes and outside. Throws Error
/// bad_data for what the two engines read differently, or may: a class within a class, anchors, escapes such as \w, \b
/// and \h, groups other than (?: (?= (?! (?<= (?<! (?> and (?i:, and a + or ? behind a {n,m}.
std::string translated(std::string_view expression);

/// Whether the expression is known to match at every place of every text, so that it leaves nothing out: its
/// alternatives hold one for letters, one for numbers, one for white space and one for all others, each in a form that
/// tokenizers use.
bool matches_everything(std::string_view expression);

/// "PCRE2 10.42 2022-12-11, Unicode 14.0.0": decides how rare characters are classified.
std::string pattern_engine_version();

}  // namespace chainrule::io::tokenizer

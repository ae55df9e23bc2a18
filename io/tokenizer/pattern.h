#pragma once
#include <cstddef>
#include <memory>
#include <optional>
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

  struct Match {
    std::size_t begin;
    std::size_t end;
  };

  /// What matching works with; one a thread.
  class Matcher {
   public:
    /// pattern must outlive the matcher.
    explicit Matcher(const Pattern& pattern);
    Matcher(Matcher&&) noexcept;
    Matcher& operator=(Matcher&&) noexcept;
    ~Matcher();
    /// The first match in text, well-formed UTF-8, that begins at `from` or behind it; it may be empty. Throws
    /// MatchingGaveUp (matching_gave_up.h).
    std::optional<Match> find(std::string_view text, std::size_t from);

   private:
    struct State;
    std::unique_ptr<State> state_;
  };

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// expression with `\s` and `\S` written out as the members of White_Space, inside classes and outside, and scripts as
/// PCRE2 spells them. Throws Error bad_data for what the two engines read differently, or may: a class within a class,
/// anchors, escapes such as \w, \b, \h, \pL and \xE9, groups other than (?: (?= (?! (?<= (?<! (?> and (?i:, in the last
/// of them all but letters of ASCII, and a + or ? behind a {n,m}.
std::string translated(std::string_view expression);

/// Whether the expression is known to match at every place of every text, so that it leaves nothing out: its
/// alternatives hold one for letters, one for numbers, one for white space and one for all others, each in a form that
/// tokenizers use.
bool matches_everything(std::string_view expression);

/// "PCRE2 10.42 2022-12-11, Unicode 14.0.0": decides how rare characters are classified.
std::string pattern_engine_version();

}  // namespace chainrule::io::tokenizer

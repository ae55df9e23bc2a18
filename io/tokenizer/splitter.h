#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "io/text/characters.h"
#include "io/tokenizer/definition.h"
#include "io/tokenizer/pattern.h"
#include "io/tokenizer/piece_scanner.h"

namespace chainrule::io::tokenizer {

/// A text, or a part of one, as it is and with each byte that is no part of well-formed UTF-8 as U+0001, for a regular
/// expression to match: of the same length.
struct Subject {
  std::string_view text;
  std::string_view masked;

  Subject part(std::size_t begin, std::size_t end) const {
    return {text.substr(begin, end - begin), masked.substr(begin, end - begin)};
  }
};

/// Whether what follows (a match or not) joins what is before it (a match or not).
constexpr bool joins(SplitBehavior behavior, bool before_is_match, bool is_match) {
  switch (behavior) {
    case SplitBehavior::contiguous: return before_is_match == is_match;
    case SplitBehavior::merged_with_previous: return is_match && !before_is_match;
    case SplitBehavior::merged_with_next: return before_is_match && !is_match;
    case SplitBehavior::isolated:
    case SplitBehavior::removed: break;
  }
  return false;
}

/// Cuts text at the matches of a pattern as Hugging Face's library does.
class Splitter {
 public:
  /// Throws Error bad_data where the pattern is not supported.
  explicit Splitter(const Split& split);

  /// What one thread works with: nothing where no regular expression is needed.
  using Matcher = std::optional<Pattern::Matcher>;
  Matcher matcher() const;

  /// Calls emit(begin, end) for each piece that is not empty, in order. matcher: of this splitter.
  template <class Emit>
  void cut(const Subject& subject, Matcher& matcher, const Emit& emit) const;

  bool uses_expression() const { return expression_ != nullptr; }
  /// What is known of where pieces end.
  const PieceScanner& scanner() const { return scanner_; }

 private:
  /// Calls visit(begin, end, is_match) for each match and for what is between them, in order.
  template <class Visit>
  void find(const Subject& subject, Matcher& matcher, const Visit& visit) const;
  template <class Visit>
  void find_literal(std::string_view text, const Visit& visit) const;
  /// The first match at or behind `at`.
  std::optional<Pattern::Match> match(const Subject& subject, Matcher& matcher, std::size_t at) const;

  Split split_;
  PieceScanner scanner_;
  std::unique_ptr<const Pattern> expression_;
};

inline std::optional<Pattern::Match> Splitter::match(const Subject& subject, Matcher& matcher, std::size_t at) const {
  if (scanner_.scan != nullptr) {
    const Scan found = scanner_.scan(subject.text, at);
    if (found.found == Scan::Found::match) return Pattern::Match{found.begin, found.end};
    if (found.found == Scan::Found::nothing) return std::nullopt;
  }
  return matcher->find(subject.masked, at);
}

template <class Visit>
void Splitter::find_literal(std::string_view text, const Visit& visit) const {
  std::size_t before = 0;
  for (std::size_t at = text.find(split_.pattern); at != std::string_view::npos;
       at = text.find(split_.pattern, before)) {
    if (before != at) visit(before, at, false);
    before = at + split_.pattern.size();
    visit(at, before, true);
  }
  if (before != text.size()) visit(before, text.size(), false);
}

template <class Visit>
void Splitter::find(const Subject& subject, Matcher& matcher, const Visit& visit) const {
  if (split_.literal) {
    find_literal(subject.text, visit);
    return;
  }
  const std::size_t size = subject.text.size();
  std::size_t before = 0;  // the end of the last match
  bool any = false;
  for (std::size_t at = 0; at <= size;) {
    const std::optional<Pattern::Match> found =
        at == size && scanner_.scan != nullptr ? std::nullopt : match(subject, matcher, at);
    if (!found) break;
    if (found->begin == found->end && any && found->end == before) {  // an empty match right behind a match is none
      at = found->end == size ? size + 1 : found->end + text::character_at(subject.masked, found->end).bytes;
      continue;
    }
    if (before != found->begin) visit(before, found->begin, false);
    visit(found->begin, found->end, true);
    any = true;
    before = at = found->end;
  }
  if (before != size) visit(before, size, false);
}

template <class Emit>
void Splitter::cut(const Subject& subject, Matcher& matcher, const Emit& emit) const {
  const auto piece = [&](std::size_t begin, std::size_t end) {
    if (begin != end) emit(begin, end);
  };
  if (split_.behavior == SplitBehavior::isolated) {
    find(subject, matcher, [&](std::size_t begin, std::size_t end, bool) { piece(begin, end); });
    return;
  }
  // One piece is held back, for the next match or what is between may belong to it.
  std::optional<Pattern::Match> held;
  bool held_is_match = false;
  find(subject, matcher, [&](std::size_t begin, std::size_t end, bool is_match) {
    is_match = is_match != split_.invert;
    if (split_.behavior == SplitBehavior::removed) {
      if (!is_match) piece(begin, end);
      return;
    }
    if (held && joins(split_.behavior, held_is_match, is_match)) {
      held->end = end;
    } else {
      if (held) piece(held->begin, held->end);
      held = Pattern::Match{begin, end};
    }
    held_is_match = is_match;
  });
  if (held) piece(held->begin, held->end);
}

}  // namespace chainrule::io::tokenizer

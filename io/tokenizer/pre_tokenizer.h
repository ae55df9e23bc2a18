#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "io/text/characters.h"
#include "io/tokenizer/definition.h"
#include "io/tokenizer/splitter.h"

namespace chainrule::io::tokenizer {

/// Cuts text into the pieces that are merged one by one: steps, each of which cuts what the one before it left.
class PreTokenizer {
 public:
  /// Throws Error bad_data where a pattern is not supported.
  explicit PreTokenizer(const std::vector<PreTokenization>& steps);

  /// What one thread works with.
  using Matchers = std::vector<Splitter::Matcher>;
  Matchers matchers() const;

  /// Calls emit(piece) for each piece of text, none empty. at_start: the text is the beginning of what was to be
  /// encoded. matchers: of this pre-tokenizer. Throws Error bad_data where matching exceeds the engine's limits.
  template <class Emit>
  void cut(std::string_view text, bool at_start, Matchers& matchers, const Emit& emit) const;

  /// Bytes of the longest prefix of text known to have the same pieces whatever text follows it; 0 where that cannot be
  /// known. What follows the prefix then has the same pieces on its own.
  std::size_t settled_prefix(std::string_view text) const;
  /// Whether all that it does is to spell spaces so, put one before a text that begins with none and cut before each.
  bool only_spells_spaces(std::string_view spelling) const;

 private:
  using Step = std::variant<Splitter, CutDigits, PrefixSpace, Metaspace>;

  /// Subject of a text; masked, where it is needed, is held by `held`.
  Subject subject_of(std::string_view text, std::string& held) const;
  template <class Emit>
  void run(std::size_t step, const Subject& subject, bool at_start, Matchers& matchers, const Emit& emit) const;
  template <class Emit>
  void cut_digits(bool individually, const Subject& subject, const Emit& emit) const;
  template <class Emit>
  void run_changed(std::size_t step, std::string_view text, bool at_start, Matchers& matchers, const Emit& emit) const;

  std::vector<Step> steps_;
  bool uses_expressions_ = false;
};

/// text with spaces spelled as the step says, and one before it where the step asks for it.
std::string with_metaspaces(std::string_view text, const Metaspace& step, bool at_start);

template <class Emit>
void PreTokenizer::cut(std::string_view text, bool at_start, Matchers& matchers, const Emit& emit) const {
  run_changed(0, text, at_start, matchers, emit);
}

template <class Emit>
void PreTokenizer::run_changed(std::size_t step, std::string_view text, bool at_start, Matchers& matchers,
                               const Emit& emit) const {
  if (text.empty()) return;
  std::string held;
  run(step, subject_of(text, held), at_start, matchers, emit);
}

template <class Emit>
void PreTokenizer::cut_digits(bool individually, const Subject& subject, const Emit& emit) const {
  std::size_t begin = 0;
  bool digits = false;
  for (std::size_t at = 0; at < subject.text.size();) {
    const text::Character each = text::character_at(subject.text, at);
    const bool digit = each.kind == text::CharacterClass::number;
    if (at != begin && (digit != digits || (digit && individually))) {
      emit(begin, at);
      begin = at;
    }
    digits = digit;
    at += each.bytes;
  }
  emit(begin, subject.text.size());
}

template <class Emit>
void PreTokenizer::run(std::size_t step, const Subject& subject, bool at_start, Matchers& matchers,
                       const Emit& emit) const {
  if (step == steps_.size()) {
    emit(subject.text);
    return;
  }
  const auto next = [&](std::size_t begin, std::size_t end) {
    run(step + 1, subject.part(begin, end), at_start && begin == 0, matchers, emit);
  };
  const Step& one = steps_[step];
  if (const auto* splitter = std::get_if<Splitter>(&one)) {
    splitter->cut(subject, matchers[step], next);
  } else if (const auto* digits = std::get_if<CutDigits>(&one)) {
    cut_digits(digits->individually, subject, next);
  } else if (const auto* metaspace = std::get_if<Metaspace>(&one)) {
    const std::string changed = with_metaspaces(subject.text, *metaspace, at_start);
    if (!metaspace->split) {
      run_changed(step + 1, changed, at_start, matchers, emit);
      return;
    }
    for (std::size_t begin = 0; begin < changed.size();) {
      const std::size_t end = std::min(changed.find(metaspace->replacement, begin + 1), changed.size());
      run_changed(step + 1, std::string_view(changed).substr(begin, end - begin), at_start && begin == 0, matchers,
                  emit);
      begin = end;
    }
  } else if (subject.text.front() == ' ') {
    next(0, subject.text.size());
  } else {
    std::string changed(1, ' ');
    changed += subject.text;
    run_changed(step + 1, changed, at_start, matchers, emit);
  }
}

}  // namespace chainrule::io::tokenizer

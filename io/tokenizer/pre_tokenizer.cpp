#include "io/tokenizer/pre_tokenizer.h"

#include <algorithm>

#include "io/tokenizer/word_edges.h"

namespace chainrule::io::tokenizer {
PreTokenizer::PreTokenizer(const std::vector<PreTokenization>& steps) {
  for (const PreTokenization& step : steps) {
    if (const auto* split = std::get_if<Split>(&step)) {
      steps_.emplace_back(std::in_place_type<Splitter>, *split);
      uses_expressions_ = uses_expressions_ || std::get<Splitter>(steps_.back()).uses_expression();
    } else if (const auto* digits = std::get_if<CutDigits>(&step)) {
      steps_.emplace_back(*digits);
    } else if (const auto* metaspace = std::get_if<Metaspace>(&step)) {
      steps_.emplace_back(*metaspace);
    } else {
      steps_.emplace_back(PrefixSpace{});
    }
  }
}

PreTokenizer::Matchers PreTokenizer::matchers() const {
  Matchers made;
  for (const Step& step : steps_) {
    const auto* splitter = std::get_if<Splitter>(&step);
    made.push_back(splitter == nullptr ? std::nullopt : splitter->matcher());
  }
  return made;
}

Subject PreTokenizer::subject_of(std::string_view text, std::string& held) const {
  if (!uses_expressions_ || std::all_of(text.begin(), text.end(), text::is_ascii)) return {text, text};
  held = text::with_invalid_bytes_masked(text);
  return {text, held};
}

std::size_t PreTokenizer::settled_prefix(std::string_view text) const {
  bool spaces = false;
  bool breaks = true;
  for (const Step& step : steps_) {
    if (std::holds_alternative<CutDigits>(step)) continue;
    const auto* splitter = std::get_if<Splitter>(&step);
    if (splitter == nullptr) return 0;
    const PieceScanner& known = splitter->scanner();
    if (known.leaves_spaces) continue;
    if (!known.cuts_before_spaces) return 0;
    spaces = true;
    breaks = breaks && known.cuts_before_breaks;
  }
  if (!spaces) return 0;
  // No piece goes on from another character into a space, and no pattern looks at what is before a piece. Only ASCII
  // spaces are looked for: they are whole whatever follows, and make what is before them whole.
  for (std::size_t at = text.size(); at-- > 1;) {
    if (!text::is_ascii(text[at]) || text::character_at(text, at).kind != text::CharacterClass::space) continue;
    if (!breaks && (text[at] == '\r' || text[at] == '\n')) continue;
    if (character_before(text, at).kind != text::CharacterClass::space) return at;
  }
  return 0;
}

bool PreTokenizer::only_spells_spaces(std::string_view spelling) const {
  return std::all_of(steps_.begin(), steps_.end(), [&](const Step& step) {
    const auto* metaspace = std::get_if<Metaspace>(&step);
    return metaspace != nullptr && metaspace->replacement == spelling;
  });
}

std::string with_metaspaces(std::string_view text, const Metaspace& step, bool at_start) {
  std::string changed;
  changed.reserve(text.size() + text.size() / 2);
  for (const char each : text) {
    if (each == ' ') {
      changed += step.replacement;
    } else {
      changed += each;
    }
  }
  const bool asked = step.before == Metaspace::Before::always || (step.before == Metaspace::Before::first && at_start);
  return asked && !changed.starts_with(step.replacement) ? step.replacement + changed : changed;
}

}  // namespace chainrule::io::tokenizer

#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "io/tokenizer/definition.h"

namespace chainrule::io::tokenizer {

/// Does what a tokenizer does to a text before it is cut. Bytes that are no part of well-formed UTF-8 stay as they are.
class Normalizer {
 public:
  explicit Normalizer(std::vector<Normalization> steps) : steps_(std::move(steps)) {}

  /// text normalized: text itself where nothing changes, else held by `changed`. Empty text stays empty. at_start
  /// false: it goes on a text, so that nothing is put before it.
  std::string_view apply(std::string_view text, bool at_start, std::string& changed) const;

  /// Whether parts of a text that begin at ASCII spaces are normalized each as within the whole.
  bool works_in_parts() const;
  /// Whether all that it does is to spell ASCII spaces so, and to put something before a text.
  bool only_spells_spaces(std::string_view spelling) const;

 private:
  std::vector<Normalization> steps_;
};

/// text in Unicode normalization form C, by utf8proc's version of Unicode. O(n log n).
std::string compose_canonically(std::string_view text);

/// Whether every character is below U+0300, the first that may compose or be reordered: then form C is text itself.
bool is_composed(std::string_view text);

}  // namespace chainrule::io::tokenizer

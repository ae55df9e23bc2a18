#include "io/tokenizer/splitter.h"

namespace chainrule::io::tokenizer {

Splitter::Splitter(const Split& split) : split_(split) {
  if (split_.literal) return;
  scanner_ = scanner_of(split_.pattern);
  if (!scanner_.complete) expression_ = std::make_unique<const Pattern>(split_.pattern);
}

Splitter::Matcher Splitter::matcher() const {
  if (!expression_) return std::nullopt;
  return std::make_optional<Pattern::Matcher>(*expression_);
}

}  // namespace chainrule::io::tokenizer

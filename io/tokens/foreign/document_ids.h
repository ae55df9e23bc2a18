#pragma once
#include <cstdint>

#include "io/tokenizer/tokenizer.h"

namespace chainrule::io::tokens::foreign {

/// What token files of other systems need to know of a tokenizer's ids.
struct DocumentIds {
  std::uint32_t size = 0;  ///< every id is below it
  std::uint32_t end_of_text = 0;
  /// What llm.c's files have before each document: the token that the tokenizer's template puts before a text (Llama
  /// 3's beginning-of-text), else end-of-text.
  std::uint32_t document_start = 0;
};

inline DocumentIds document_ids_of(const tokenizer::Tokenizer& tokenizer) {
  const auto& before = tokenizer.template_before();
  return {tokenizer.vocabulary_size(), tokenizer.end_of_text(),
          before.empty() ? tokenizer.end_of_text() : before.front()};
}

}  // namespace chainrule::io::tokens::foreign

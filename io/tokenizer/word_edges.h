#pragma once
#include <cstddef>
#include <string_view>

#include "io/text/characters.h"

namespace chainrule::io::tokenizer {

// What is beside an added token, as Hugging Face's library asks for it.

/// The character that ends at text[at - 1]; of class other and one byte where no well-formed one does. at > 0.
text::Character character_before(std::string_view text, std::size_t at);

/// Where the white space that ends at `end` begins; `end` for none.
std::size_t space_begin(std::string_view text, std::size_t end);
/// Where the white space that begins at `begin` ends; `begin` for none.
std::size_t space_end(std::string_view text, std::size_t begin);

/// Whether a character of a word (\w: letters, marks, decimal and letter-like numbers, connectors, joiners) ends
/// before, or begins at, a place; none does at the ends of text.
bool is_word_before(std::string_view text, std::size_t at);
bool is_word_at(std::string_view text, std::size_t at);

}  // namespace chainrule::io::tokenizer

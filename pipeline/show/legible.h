#pragma once
#include <string>
#include <string_view>

namespace chainrule::pipeline::show {

enum class Spaces {
  marked,  ///< a space is shown as ␣
  kept,    ///< a space stays one: where colour shows the token's bounds
};

/// A token's bytes as something a person can read, in valid UTF-8 on one line: line feed ⏎, tab ⇥, carriage return ␍,
/// control and invisible characters as \u{200b}, bytes that are no whole UTF-8 character (a token may hold a part of
/// one) as \xe2, a combining mark on ◌. Nothing in it can move a terminal's cursor.
std::string legible(std::string_view bytes, Spaces spaces = Spaces::marked);

/// legible(bytes) in at most so many columns, at least 1: where it is longer its beginning, or its end, and …, cut
/// between characters of bytes.
std::string legible_beginning(std::string_view bytes, std::size_t columns, Spaces spaces = Spaces::marked);
std::string legible_end(std::string_view bytes, std::size_t columns, Spaces spaces = Spaces::marked);

/// text as valid_utf8() gives it, control characters other than line feed and tab as legible() does: nothing in it can
/// move a terminal's cursor.
std::string without_controls(std::string_view text);

/// Columns that valid UTF-8 takes in a terminal.
std::size_t columns_of(std::string_view text);

/// text with each byte sequence that is no UTF-8 replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

/// Bytes of text's longest prefix that does not end inside a UTF-8 character that further bytes could complete.
std::size_t whole_characters(std::string_view text);

}  // namespace chainrule::pipeline::show

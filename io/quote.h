#pragma once
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace chainrule::io {

/// Text of any origin as valid UTF-8 on one line in which nothing can move a terminal's cursor: control and other
/// invisible characters are spelled as \u{1b}, bytes that are no UTF-8 as \xff.
std::string on_one_line(std::string_view text);

/// Text that a file or a person gave, on_one_line and in quotes, for a message. What is longer than most_bytes is cut
/// between characters and ends in `…`.
std::string in_quotes(std::string_view text, std::size_t most_bytes = 120);

/// A path, whole.
std::string path_in_quotes(const std::filesystem::path& path);

}  // namespace chainrule::io

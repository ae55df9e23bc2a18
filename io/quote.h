#pragma once
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace chainrule::io {

/// Text that a file or a person gave, in quotes, for a message: valid UTF-8 on one line in which nothing can move a
/// terminal's cursor. Control and other invisible characters are spelled as \u{1b}, bytes that are no UTF-8 as \xff.
/// What is longer than most_bytes is cut between characters and ends in `…`.
std::string in_quotes(std::string_view text, std::size_t most_bytes = 120);

/// A path, whole.
std::string path_in_quotes(const std::filesystem::path& path);

}  // namespace chainrule::io

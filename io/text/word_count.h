#pragma once
#include <cstdint>
#include <string_view>

namespace chainrule::io::text {

/// Words of a text as word perplexity counts them: Python's len(re.split(r"\s+", text)), so the runs of Unicode white
/// space plus one (an empty text has one). A byte that is not part of valid UTF-8 is no white space.
std::uint64_t count_words(std::string_view text);

}  // namespace chainrule::io::text

#pragma once
#include <string>
#include <string_view>

namespace chainrule::pipeline::show {

/// text, which must be valid UTF-8, for use in HTML and SVG, in attributes too.
std::string escape_markup(std::string_view text);

}  // namespace chainrule::pipeline::show

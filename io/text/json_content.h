#pragma once
#include <filesystem>
#include <string>

#include "io/text/text_file.h"

namespace chainrule::io::text {

/// What a file's content says about how its documents are to be read.
struct ContentFormat {
  TextFormat format = TextFormat::plain;
  std::string doubt;       ///< why it cannot be told apart, in words; empty where it can
  bool chainrule = false;  ///< it is a JSON file of chainrule's own
};

/// Tells JSON lines from one document by content. JSON lines begin with two JSON objects, each on one line, of which
/// the first has the text field. In doubt are JSON lines without that field, and JSON that holds it in another form:
/// one object alone, objects over several lines, an array of objects, objects followed by something else, and what
/// breaks off behind it. All else is one document. Reads no further than the second value. Throws Error (missing_input,
/// input_output) naming the file.
ContentFormat format_by_content(const std::filesystem::path& path, const std::string& text_field);

}  // namespace chainrule::io::text

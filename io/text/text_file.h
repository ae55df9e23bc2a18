#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

namespace chainrule::io::text {

enum class TextFormat {
  plain,       ///< the whole file is one document
  json_lines,  ///< each line is a JSON object that holds one document; blank lines are passed over
  tokens,      ///< no text but token ids, which only a caller that asked for them meets
};

/// A file that documents are read from.
struct TextFile {
  std::filesystem::path path;
  std::string name;         ///< as given by the person, with the path below a given folder appended
  std::string identity;     ///< canonical path, by which the same file given twice is known
  std::uint64_t bytes = 0;  ///< its size when it was found
  TextFormat format = TextFormat::plain;
  std::string place = {};  ///< the path by which it was found: as identity, links below the given folder kept
  bool streamed = false;   ///< packed, or standard input: read from its beginning on, by one reader
};

}  // namespace chainrule::io::text

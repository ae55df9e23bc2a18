#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace chainrule::io::text {

enum class TextFormat {
  plain,       ///< the whole file is one document
  json_lines,  ///< (`.jsonl`) each line is a JSON object that holds one document; blank lines are passed over
};

/// A file that documents are read from.
struct TextFile {
  std::filesystem::path path;
  std::string name;         ///< as given by the person, with the path below a given folder appended
  std::string identity;     ///< canonical path, by which the same file given twice is known
  std::uint64_t bytes = 0;  ///< its size when it was found
  TextFormat format = TextFormat::plain;
};

/// Every file that inputs name, in order: a file is itself; a folder stands for the regular files below it, sorted by
/// the bytes of their paths, links skipped. A file that was named before is not repeated. Throws Error: missing_input
/// naming the path, bad_data for a compressed file (by its name), which would otherwise be read as text.
std::vector<TextFile> find_text_files(const std::vector<std::string>& inputs);

/// Bytes [begin, end) of a file.
struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Called with a document's text (valid during the call, any bytes) and its line counted from 1 at the start of what is
/// read (0 in a plain file).
using DocumentVisitor = std::function<void(std::string_view text, std::uint64_t line)>;

/// Visits the documents of a file in order, holding one at a time. text_field names the member of a JSON line that is
/// its text. Throws Error naming file and line: bad_data (invalid JSON, not an object, the member absent or not a
/// string), missing_input (cannot be opened), input_output (reading failed, or the size changed since it was found).
void visit_documents(const TextFile& file, const std::string& text_field, const DocumentVisitor& visit);

/// As above for the documents that begin in range: the whole of a plain file where range.begin is 0, else nothing; the
/// lines of a JSONL file that begin in range. Ranges that tile [0, bytes) visit every document once. Returns the lines
/// that begin in range, blank ones included (0 for a plain file).
std::uint64_t visit_documents(const TextFile& file, ByteRange range, const std::string& text_field,
                              const DocumentVisitor& visit);

}  // namespace chainrule::io::text

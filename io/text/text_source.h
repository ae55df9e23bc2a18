#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "io/text/text_file.h"

namespace chainrule::io::text {

/// Bytes [begin, end) of a file.
struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Called with a document's text (valid during the call, any bytes) and its line counted from 1 at the start of what is
/// read (0 in a plain file).
using DocumentVisitor = std::function<void(std::string_view text, std::uint64_t line)>;

/// Visits the documents of a file in order, holding one at a time. text_field names the member of a JSON line that is
/// its text (of several of that name the last). Throws Error naming file and line: bad_data (invalid JSON, a number
/// that no double holds, deep nesting, not an object, the member absent or not a string), missing_input (cannot be
/// opened), input_output (reading failed, or the size changed since it was found).
void visit_documents(const TextFile& file, const std::string& text_field, const DocumentVisitor& visit);

/// As above for the documents that begin in range: the whole of a plain file where range.begin is 0, else nothing; the
/// lines of a JSON lines file that begin in range. Ranges that tile [0, bytes) visit every document once. Returns the
/// lines that begin in range, blank ones included (0 for a plain file).
std::uint64_t visit_documents(const TextFile& file, ByteRange range, const std::string& text_field,
                              const DocumentVisitor& visit);

}  // namespace chainrule::io::text

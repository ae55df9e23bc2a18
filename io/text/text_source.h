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

/// A document as it was read; valid until the next one is.
struct Document {
  std::string_view text;     ///< any bytes
  std::string_view counted;  ///< what its bytes and words are counted on: text, or another member of its line
  std::uint64_t line = 0;    ///< from 1 at the start of what is read; 0 in a plain file
};
using DocumentVisitor = std::function<void(const Document&)>;

/// Names of members of a JSON line; of several of one name the last is meant.
struct Fields {
  std::string text = "text";
  std::string counted = "";  ///< see Document; empty: text
};

/// Visits the documents of a text file in order, holding one at a time. Throws Error naming file and line: bad_data
/// (invalid JSON, a number that no double holds, deep nesting, not an object, a member absent or not a string, what is
/// packed is damaged, or what visit throws as bad_data), missing_input (cannot be opened), input_output (reading
/// failed, or the size changed since it was found).
void visit_documents(const TextFile& file, const Fields& fields, const DocumentVisitor& visit);

/// As above for the documents that begin in range: the whole of a plain or streamed file where range.begin is 0, else
/// nothing; the lines of a JSON lines file that begin in range. Ranges that tile [0, bytes) visit every document once.
/// Returns the lines that begin in range, blank ones included (0 for a plain file).
std::uint64_t visit_documents(const TextFile& file, ByteRange range, const Fields& fields,
                              const DocumentVisitor& visit);

/// Calls read, which takes bytes of the file. What it throws as bad_data is thrown with the file's name before it.
void refuse_by_name(const TextFile& file, const std::function<void()>& read);

/// Calls visit for the bytes of a plain file in order, some MiB at a time. Throws as visit_documents does, but what
/// visit throws as it is.
void visit_bytes(const TextFile& file, const std::function<void(std::string_view)>& visit);

}  // namespace chainrule::io::text

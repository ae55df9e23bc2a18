#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "io/files/regular_file.h"

namespace chainrule::io::files {

/// The whole lines of a file that another process may be appending to, one after the other, in bounded memory: as long
/// as the file is when it is opened.
class LineReader {
 public:
  /// Throws Error missing_input where it cannot be opened or is no file (a pipe is not waited for), input_output.
  explicit LineReader(const std::filesystem::path& path, std::size_t most_line_bytes = std::size_t{1} << 20);
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  /// The next line, without its line feed, until the next call. Empty at the end; a last line without a line feed, cut
  /// short or still being written, is not given. Throws Error bad_data naming the line that is longer than it may be,
  /// input_output.
  std::optional<std::string_view> next();
  /// Of the line that was given last, from 1.
  std::int64_t line_number() const { return line_number_; }

 private:
  void read_more();

  std::filesystem::path path_;
  std::size_t most_line_bytes_;
  RegularFile file_;
  std::uint64_t left_;  // bytes that are not read yet
  std::string buffer_;
  std::size_t begin_ = 0;  // of the next line in it
  std::int64_t line_number_ = 0;
};

}  // namespace chainrule::io::files

#pragma once
#include <cstddef>
#include <filesystem>
#include <string>

namespace chainrule::io::files {

/// The end of a file that another process may be writing.
struct FileEnd {
  std::string text;
  bool whole = false;  ///< the text is all of the file
};

/// At most so many bytes from the end of a file as long as it is now. Throws Error missing_input where it cannot be
/// opened or is no file (a pipe is not waited for), input_output.
FileEnd read_end(const std::filesystem::path& path, std::size_t most_bytes);

/// The content of a small file. Throws also Error bad_data where it is longer.
std::string read_small_file(const std::filesystem::path& path, std::size_t most_bytes);

}  // namespace chainrule::io::files

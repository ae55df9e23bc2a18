#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "io/files/regular_file.h"
#include "io/tokens/foreign/token_type.h"

namespace chainrule::io::tokens::foreign {

/// Where tokens lie in a file.
struct TokenPlace {
  TokenType type;
  std::uint64_t first_byte = 0;
  std::uint64_t tokens = 0;
};

/// Tokens that lie side by side in a file, opened for reading. Reading from several threads at once is safe.
class TokenFile {
 public:
  /// place: found to be in the file. Throws Error missing_input.
  TokenFile(const std::filesystem::path& path, const TokenPlace& place);

  /// Reads tokens [first, first + tokens.size()), which must be there. Each is checked to be below vocabulary_size.
  /// Throws Error: bad_data naming file, token and offset; input_output, also where the file became shorter.
  void read(std::uint64_t first, std::uint32_t vocabulary_size, std::span<std::uint32_t> tokens) const;

 private:
  void read_bytes(std::uint64_t offset, std::span<std::byte> bytes) const;

  std::filesystem::path path_;
  files::RegularFile file_;
  TokenType type_;
  std::uint64_t first_byte_;
};

/// Up to most_bytes of the beginning of a file. Throws Error (missing_input, input_output).
std::string beginning_of(const std::filesystem::path& path, std::size_t most_bytes);

/// Throws Error missing_input where it cannot be seen.
std::uint64_t bytes_of(const std::filesystem::path& path);

}  // namespace chainrule::io::tokens::foreign

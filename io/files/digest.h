#pragma once
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace chainrule::io::files {

/// Streaming XXH3-128. Feed bytes in any pieces; the digest depends on their concatenation only.
class Digest {
 public:
  Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;
  ~Digest();
  void update(const void* data, std::size_t bytes);
  /// 32 lower-case hexadecimal digits, most significant first.
  std::string hexadecimal() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// XXH3-128 of bytes that are all there.
std::string text_digest(std::string_view bytes);

/// XXH3-128 of a whole regular file. Throws Error (missing_input, input_output) as read_file() does.
std::string file_digest(const std::filesystem::path& path);

}  // namespace chainrule::io::files

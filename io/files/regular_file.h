#pragma once
#include <cstdint>
#include <filesystem>

namespace chainrule::io::files {

/// A regular file open for reading, links followed: the way in which every file is opened that a program wrote and
/// another reads. A pipe in its place is refused and not waited for, which nothing would end.
class RegularFile {
 public:
  /// Throws Error missing_input where it cannot be opened or is no regular file, input_output where that cannot be
  /// seen.
  explicit RegularFile(const std::filesystem::path& path);
  RegularFile(const RegularFile&) = delete;
  RegularFile& operator=(const RegularFile&) = delete;
  ~RegularFile();

  int descriptor() const { return descriptor_; }
  /// As long as it was when it was opened.
  std::uint64_t bytes() const { return bytes_; }

 private:
  int descriptor_;
  std::uint64_t bytes_ = 0;
};

/// For files that are opened in other ways: with O_NONBLOCK, or a pipe is waited for. Throws Error as RegularFile does
/// unless the descriptor, which stays open, is that of a regular file.
std::uint64_t require_regular(int descriptor, const std::filesystem::path& path);

}  // namespace chainrule::io::files

#pragma once
#include <cstddef>
#include <filesystem>
#include <span>

namespace chainrule::io::files {

/// A regular file mapped read-only. Its pages are those of the system's file cache: all processes of a node that map it
/// share them, and the system may drop and read them again. Links are followed.
///
/// Its size is the one that it had when it was opened. Where someone shortens it while it is mapped, reading what is
/// gone ends the process with SIGBUS: no check here can prevent that. Files of models are replaced by a rename, which
/// leaves the mapped one as it is, and must not be written to in place.
class MappedFile {
 public:
  /// Throws Error missing_input where it cannot be opened or is no regular file, input_output where it cannot be
  /// mapped.
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  const std::filesystem::path& path() const { return path_; }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::filesystem::path path_;
  std::span<const std::byte> bytes_;
};

}  // namespace chainrule::io::files

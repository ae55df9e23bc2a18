#pragma once
#include <filesystem>

namespace chainrule::io::files {

/// A new folder in the system's temporary folder, or another, removed with this object and all that is in it.
class TemporaryFolder {
 public:
  /// Throws Error cannot_create.
  explicit TemporaryFolder(const std::filesystem::path& parent = std::filesystem::temp_directory_path());
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace chainrule::io::files

#pragma once
#include <filesystem>

namespace chainrule::io::files {

/// A new folder in the system's temporary folder, removed with this object and all that is in it.
class TemporaryFolder {
 public:
  /// Throws Error cannot_create.
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace chainrule::io::files

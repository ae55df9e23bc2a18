#pragma once
#include <filesystem>

namespace chainrule::pipeline::convert {

/// Throws io::Error cannot_create where a new folder cannot be put at path: something is there that is no empty folder,
/// or the folders above it cannot be made or written to. To be asked before the work.
void require_free(const std::filesystem::path& path);

/// A new folder, written beside its place and put there by publish(); without that it goes.
class FolderBeside {
 public:
  /// Throws io::Error cannot_create.
  explicit FolderBeside(const std::filesystem::path& place);
  FolderBeside(const FolderBeside&) = delete;
  FolderBeside& operator=(const FolderBeside&) = delete;
  ~FolderBeside();

  /// Where it is until it is published.
  const std::filesystem::path& path() const { return path_; }
  /// Throws io::Error; then it stays where it is, whole.
  void publish();

 private:
  std::filesystem::path place_;
  std::filesystem::path path_;
  bool kept_ = false;
};

}  // namespace chainrule::pipeline::convert

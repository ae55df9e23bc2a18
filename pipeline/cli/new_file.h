#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace chainrule::pipeline::cli {

/// A file that a command is asked to write and that must not be there yet.
class NewFile {
 public:
  /// Throws Error usage for an empty path and io::Error cannot_create, naming `option`, where path exists or its folder
  /// cannot be written to: before the work rather than after it.
  NewFile(std::string_view option, std::filesystem::path path);
  /// Creates the file whole or not at all. Throws io::Error.
  void write(std::string_view content) const;

 private:
  void refuse_existing() const;

  std::string option_;
  std::filesystem::path path_;
};

}  // namespace chainrule::pipeline::cli

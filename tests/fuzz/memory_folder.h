#pragma once
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "io/files/temporary_folder.h"

namespace chainrule::fuzz {

/// A folder without a disk (where the machine has memory for files), for parsers of several files, or of one that must
/// have a path of its own: HDF5 asks for the real path of a symbolic link, and a MemoryFile has none.
class MemoryFolder {
 public:
  const std::filesystem::path& path() const { return folder_.path(); }

  /// Writes a file of the folder; returns its path.
  std::filesystem::path write(const char* name, std::string_view bytes) const {
    std::ofstream file(path() / name, std::ios::binary);
    if (!file.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush()) std::abort();
    return path() / name;
  }

 private:
  static std::filesystem::path parent() {
    const std::filesystem::path memory = "/dev/shm";
    return ::access(memory.c_str(), W_OK | X_OK) == 0 ? memory : std::filesystem::temp_directory_path();
  }

  io::files::TemporaryFolder folder_{parent()};
};

}  // namespace chainrule::fuzz

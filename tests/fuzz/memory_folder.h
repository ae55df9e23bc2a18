#pragma once
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace chainrule::fuzz {

/// A folder without a disk (where the machine has memory for files), for parsers of several files, or of one that must
/// have a path of its own: HDF5 asks for the real path of a symbolic link, and a MemoryFile has none.
class MemoryFolder {
 public:
  MemoryFolder() {
    for (const auto& parent : {std::filesystem::path("/dev/shm"), std::filesystem::temp_directory_path()}) {
      std::string name = parent / "chainrule-fuzz-XXXXXX";
      if (::mkdtemp(name.data()) == nullptr) continue;
      path_ = name;
      return;
    }
    std::abort();
  }
  MemoryFolder(const MemoryFolder&) = delete;
  MemoryFolder& operator=(const MemoryFolder&) = delete;
  ~MemoryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

  /// Writes a file of the folder; returns its path.
  std::filesystem::path write(const char* name, std::string_view bytes) const {
    std::ofstream file(path_ / name, std::ios::binary);
    if (!file.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush()) std::abort();
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace chainrule::fuzz

#include "pipeline/comm/temporary_folder.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace chainrule::pipeline::comm {

TemporaryFolder::TemporaryFolder() {
  if (const char* before = std::getenv("TMPDIR")) before_ = before;
  std::error_code error;
  const std::filesystem::path base = std::filesystem::temp_directory_path(error);
  if (error) return;
  std::string folder = base / "chainrule-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return;
  folder_ = folder;
  setenv("TMPDIR", folder_.c_str(), 1);
}

TemporaryFolder::~TemporaryFolder() {
  if (folder_.empty()) return;
  if (before_) {
    setenv("TMPDIR", before_->c_str(), 1);
  } else {
    unsetenv("TMPDIR");
  }
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
}

}  // namespace chainrule::pipeline::comm

#include "pipeline/comm/own_temporary_files.h"

#include <cstdlib>
#include <filesystem>

#include "io/error.h"

namespace chainrule::pipeline::comm {

OwnTemporaryFiles::OwnTemporaryFiles() {
  if (const char* before = std::getenv("TMPDIR")) before_ = before;
  try {
    folder_.emplace();
  } catch (const io::Error&) {
    return;
  } catch (const std::filesystem::filesystem_error&) {  // TMPDIR names none
    return;
  }
  setenv("TMPDIR", folder_->path().c_str(), 1);
}

OwnTemporaryFiles::~OwnTemporaryFiles() {
  if (!folder_) return;
  if (before_) {
    setenv("TMPDIR", before_->c_str(), 1);
  } else {
    unsetenv("TMPDIR");
  }
}

}  // namespace chainrule::pipeline::comm

#include "pipeline/pack/partial_folder.h"

#include <fmt/format.h>

#include <fstream>
#include <system_error>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "pipeline/comm/agreement.h"

namespace chainrule::pipeline::pack {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& what) { throw io::Error(io::ErrorKind::cannot_create, what); }

/// The output's path without a trailing slash, which would put the partial folder inside it.
fs::path trimmed(const fs::path& output) {
  const fs::path path = fs::absolute(output).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

fs::path make_beside(const fs::path& output) {
  std::error_code error;
  const fs::file_status status = fs::status(output, error);
  if (fs::exists(status) && !(fs::is_directory(status) && fs::is_empty(output, error) && !error)) {
    refuse(fmt::format("'{}' is there already: name a new or empty folder", output.string()));
  }
  if (output.has_parent_path()) fs::create_directories(output.parent_path(), error);
  for (int number = 1;; ++number) {
    const fs::path path = fmt::format("{}.partial-{}", output.string(), number);
    const bool made = fs::create_directory(path, error);
    if (error) refuse(fmt::format("cannot create the folder '{}': {}", path.string(), error.message()));
    if (made) return path;
  }
}

}  // namespace

PartialFolder::PartialFolder(const comm::Communicator& communicator, const fs::path& output)
    : communicator_(communicator), output_(trimmed(output)) {
  comm::agree_on_first(communicator, [&] { path_ = make_beside(output_); });
  path_ = communicator.broadcast(path_.string());
}

PartialFolder::~PartialFolder() {
  if (committed_ || communicator_.rank() != 0) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void PartialFolder::agree(const std::function<void()>& work) const {
  comm::agree(communicator_, [&] {
    try {
      work();
    } catch (...) {
      std::ofstream(path_ / "failed");
      throw;
    }
  });
}

bool PartialFolder::failed() const {
  std::error_code ignored;
  return fs::exists(path_ / "failed", ignored);
}

void PartialFolder::commit() {
  comm::agree_on_first(communicator_, [&] { io::files::commit_rename(path_, output_); });
  committed_ = true;
}

}  // namespace chainrule::pipeline::pack

#include "io/files/atomic_output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "io/error.h"
#include "io/files/atomic_file.h"

namespace chainrule::io::files {

void require_absent(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::symlink_status(path, ignored).type() != std::filesystem::file_type::not_found) {
    throw Error(ErrorKind::cannot_create, fmt::format("cannot create '{}': it is already there", path.string()));
  }
}

AtomicOutput::AtomicOutput(const std::filesystem::path& path)
    : path_(path), beside_(path.string() + fmt::format(".partial-{}", ::getpid())), file_(nullptr) {
  require_absent(path_);
  file_ = std::fopen(beside_.c_str(), "wbxe");
  if (file_ == nullptr) {
    throw Error(ErrorKind::cannot_create,
                fmt::format("cannot create '{}': {}", beside_.string(), std::strerror(errno)));
  }
}

AtomicOutput::~AtomicOutput() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  ::unlink(beside_.c_str());
}

void AtomicOutput::write(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) {
    throw Error(ErrorKind::input_output, fmt::format("cannot write '{}': {}", beside_.string(), std::strerror(errno)));
  }
}

void AtomicOutput::commit() {
  if (std::fflush(file_) != 0 || ::fsync(::fileno(file_)) != 0) {
    throw Error(ErrorKind::input_output, fmt::format("cannot write '{}': {}", beside_.string(), std::strerror(errno)));
  }
  require_absent(path_);
  commit_rename(beside_, path_);
  std::fclose(file_);
  file_ = nullptr;
}

}  // namespace chainrule::io::files

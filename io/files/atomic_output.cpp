#include "io/files/atomic_output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/presence.h"

namespace chainrule::io::files {

void require_absent(const std::filesystem::path& path) {
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorKind::cannot_create, fmt::format("cannot create '{}': {}", path.string(), why));
  };
  bool there = true;
  try {
    there = presence_of_itself(path) != Presence::absent;
  } catch (const Error& unseen) {
    refuse(unseen.what());
  }
  if (there) refuse("it is already there");
}

void make_place_for(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  std::error_code error;
  std::filesystem::create_directories(folder, error);  // where it is there as a link, this says so as an error
  if (::access(folder.c_str(), W_OK | X_OK) == 0 && presence_of(folder) == Presence::folder) return;
  const std::string why = error ? error.message() : std::strerror(errno != 0 ? errno : ENOTDIR);
  throw Error(ErrorKind::cannot_create,
              fmt::format("cannot create '{}': no folder '{}' to write to: {}", path.string(), folder.string(), why));
}

AtomicOutput::AtomicOutput(const std::filesystem::path& path) : path_(path) {
  require_absent(path_);
  make_place_for(path_);
  FileBeside beside = create_beside(path_);
  beside_ = std::move(beside.path);
  file_ = ::fdopen(beside.descriptor, "wb");
  if (file_ != nullptr) return;
  const int error = errno;
  ::close(beside.descriptor);
  ::unlink(beside_.c_str());
  throw Error(ErrorKind::cannot_create, fmt::format("cannot create '{}': {}", path_.string(), std::strerror(error)));
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

void AtomicOutput::sync() {
  if (std::fflush(file_) != 0 || ::fsync(::fileno(file_)) != 0) {
    throw Error(ErrorKind::input_output, fmt::format("cannot write '{}': {}", beside_.string(), std::strerror(errno)));
  }
}

void AtomicOutput::commit() {
  sync();
  std::fclose(std::exchange(file_, nullptr));  // whole: from here on it stays, whatever happens
  try {
    require_absent(path_);
    commit_rename(beside_, path_);
  } catch (const Error& error) {
    if (presence_of_itself(beside_) == Presence::absent) throw;
    throw Error(error.kind(), fmt::format("{}; it is complete in '{}'", error.what(), beside_.string()));
  }
}

}  // namespace chainrule::io::files

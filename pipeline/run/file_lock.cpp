#include "pipeline/run/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "io/error.h"
#include "pipeline/show/numbers.h"

namespace chainrule::pipeline::run {

std::string holder_text() {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  return fmt::format("process {} on {} since {}", ::getpid(), host, show::utc_text(std::time(nullptr)));
}

bool try_lock(int file, const std::filesystem::path& path) {
  struct flock request {};
  request.l_type = F_WRLCK;
  request.l_whence = SEEK_SET;
  if (::fcntl(file, F_OFD_SETLK, &request) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  throw io::Error(io::ErrorKind::cannot_create,
                  fmt::format("cannot lock '{}': {}", path.string(), std::strerror(errno)));
}

void lock_file(int file, const std::filesystem::path& path) {
  if (try_lock(file, path)) return;
  throw io::Error(io::ErrorKind::cannot_create, fmt::format("'{}' is in use by another process", path.string()));
}

bool is_locked(int file, const std::filesystem::path& path) {
  struct flock request {};
  request.l_type = F_WRLCK;
  request.l_whence = SEEK_SET;
  if (::fcntl(file, F_OFD_GETLK, &request) == 0) return request.l_type != F_UNLCK;
  throw io::Error(io::ErrorKind::missing_input,
                  fmt::format("cannot see whether '{}' is locked: {}", path.string(), std::strerror(errno)));
}

}  // namespace chainrule::pipeline::run

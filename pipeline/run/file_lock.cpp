#include "pipeline/run/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "io/error.h"
#include "io/quote.h"
#include "pipeline/show/numbers.h"

namespace chainrule::pipeline::run {
namespace {

struct flock whole_file() {
  struct flock request {};
  request.l_type = F_WRLCK;
  request.l_whence = SEEK_SET;
  return request;
}

bool says_no_locks(int error) {
  return error == ENOLCK || error == ENOSYS || error == EOPNOTSUPP;  // ENOTSUP is the last of these
}

}  // namespace

std::string holder_text() {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  return fmt::format("process {} on {} since {}", ::getpid(), host, show::utc_text(std::time(nullptr)));
}

Locking try_lock(int file, const std::filesystem::path& path) {
  struct flock request = whole_file();
  if (::fcntl(file, F_OFD_SETLK, &request) == 0) return Locking::locked;
  if (errno == EAGAIN || errno == EACCES) return Locking::is_locked;
  if (says_no_locks(errno)) return Locking::no_locks;
  throw io::Error(io::ErrorKind::cannot_create,
                  fmt::format("cannot lock '{}': {}", path.string(), std::strerror(errno)));
}

std::unique_ptr<HoldFile> lock_file(int file, const std::filesystem::path& path) {
  const std::string what = io::path_in_quotes(path);
  switch (try_lock(file, path)) {
    case Locking::locked: require_no_hold(path, what); return nullptr;
    case Locking::no_locks: return std::make_unique<HoldFile>(path, what);
    case Locking::is_locked: break;
  }
  throw io::Error(io::ErrorKind::cannot_create, fmt::format("{} is in use by another process", what));
}

Locking look_at_lock(int file, const std::filesystem::path& path) {
  struct flock request = whole_file();
  if (::fcntl(file, F_OFD_GETLK, &request) == 0) {
    return request.l_type != F_UNLCK ? Locking::is_locked : Locking::locked;
  }
  if (says_no_locks(errno)) return Locking::no_locks;
  throw io::Error(io::ErrorKind::missing_input,
                  fmt::format("cannot see whether '{}' is locked: {}", path.string(), std::strerror(errno)));
}

}  // namespace chainrule::pipeline::run

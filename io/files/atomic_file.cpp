#include "io/files/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "io/error.h"
#include "io/files/regular_file.h"

namespace chainrule::io::files {
namespace {

/// A file descriptor closed at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void fail(ErrorKind kind, const char* operation, const std::filesystem::path& path) {
  throw Error(kind, fmt::format("cannot {} '{}': {}", operation, path.string(), std::strerror(errno)));
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

void write_whole(int fd, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(ErrorKind::input_output, "write", path);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string read_whole(int fd, const std::filesystem::path& path) {
  std::string content;
  std::string buffer(1U << 16U, '\0');
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(errno == EISDIR ? ErrorKind::missing_input : ErrorKind::input_output, "read", path);
    if (got == 0) return content;
    content.append(buffer, 0, static_cast<std::size_t>(got));
  }
}

}  // namespace

FileBeside create_beside(const std::filesystem::path& path) {
  constexpr int kNames = 1000;  // what a killed process of the same number left behind is passed by
  for (int number = 0;; ++number) {
    std::string name = path.string() + fmt::format(".partial-{}", ::getpid());
    if (number > 0) name += fmt::format("-{}", number);
    const int file = ::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (file >= 0) return {file, name};
    if (errno != EEXIST || number == kNames) fail(ErrorKind::cannot_create, "create", path);
  }
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  const FileBeside beside = create_beside(path);
  const Descriptor file(beside.descriptor);
  try {
    write_whole(file.get(), content, path);
    if (::fsync(file.get()) != 0) fail(ErrorKind::input_output, "sync", path);
    commit_rename(beside.path, path);
  } catch (...) {
    ::unlink(beside.path.c_str());
    throw;
  }
}

std::string read_file(const std::filesystem::path& path) { return read_whole(RegularFile(path).descriptor(), path); }

std::string read_file_or_pipe(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) fail(ErrorKind::missing_input, "open", path);
  return read_whole(file.get(), path);
}

void sync_path(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) fail(ErrorKind::input_output, "open", path);
  if (::fsync(file.get()) != 0) fail(ErrorKind::input_output, "sync", path);
}

void commit_rename(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    throw Error(ErrorKind::cannot_create,
                fmt::format("cannot rename '{}' to '{}': {}", from.string(), to.string(), std::strerror(errno)));
  }
  sync_path(folder_of(to));
}

}  // namespace chainrule::io::files

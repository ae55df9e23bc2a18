#include "io/files/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "io/error.h"
#include "io/quote.h"

namespace chainrule::io::files {
namespace {

[[noreturn]] void fail(ErrorKind kind, const char* operation, const std::filesystem::path& path, const char* why) {
  throw Error(kind, fmt::format("cannot {} {}: {}", operation, path_in_quotes(path), why));
}

/// Opens a regular file and says how long it is. O_NONBLOCK, for opening a pipe would wait for its writer.
int open_regular(const std::filesystem::path& path, std::size_t& bytes) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) fail(ErrorKind::missing_input, "open", path, std::strerror(errno));
  struct stat status {};
  const int error = ::fstat(file, &status) == 0 ? 0 : errno;
  if (error == 0 && S_ISREG(status.st_mode)) {
    bytes = static_cast<std::size_t>(status.st_size);
    return file;
  }
  ::close(file);
  fail(ErrorKind::missing_input, "open", path, error == 0 ? "it is not a regular file" : std::strerror(error));
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  std::size_t bytes = 0;
  const int file = open_regular(path, bytes);
  void* const pages = bytes == 0 ? nullptr : ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file, 0);
  const int error = errno;
  ::close(file);
  if (pages == MAP_FAILED) fail(ErrorKind::input_output, "map", path, std::strerror(error));
  bytes_ = {static_cast<const std::byte*>(pages), bytes};
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace chainrule::io::files

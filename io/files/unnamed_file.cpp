#include "io/files/unnamed_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "io/error.h"
#include "io/files/atomic_file.h"

namespace chainrule::io::files {
namespace {

constexpr std::size_t kWaitingBytes = 1U << 20U;

}  // namespace

UnnamedFile::UnnamedFile(const std::filesystem::path& folder) : folder_(folder) {
  const FileBeside made = create_beside(folder / "chainrule");
  file_ = made.descriptor;
  ::unlink(made.path.c_str());
}

UnnamedFile::UnnamedFile(UnnamedFile&& other) noexcept
    : folder_(std::move(other.folder_)),
      file_(std::exchange(other.file_, -1)),
      written_(other.written_),
      waiting_(std::move(other.waiting_)) {}

UnnamedFile::~UnnamedFile() {
  if (file_ >= 0) ::close(file_);
}

void UnnamedFile::fail(const char* operation) const {
  throw Error(ErrorKind::input_output,
              fmt::format("cannot {} a temporary file in '{}': {}", operation, folder_.string(), std::strerror(errno)));
}

void UnnamedFile::append(std::span<const std::byte> bytes) {
  waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
  if (waiting_.size() >= kWaitingBytes) flush();
}

void UnnamedFile::flush() {
  std::span<const std::byte> left(waiting_);
  while (!left.empty()) {
    const ssize_t wrote = ::pwrite(file_, left.data(), left.size(), static_cast<off_t>(written_));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) fail("write");
    written_ += static_cast<std::uint64_t>(wrote);
    left = left.subspan(static_cast<std::size_t>(wrote));
  }
  waiting_.clear();
}

void UnnamedFile::read(std::uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t got = ::pread(file_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) errno = EIO;  // shorter than what was written
    if (got <= 0) fail("read");
    offset += static_cast<std::uint64_t>(got);
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace chainrule::io::files

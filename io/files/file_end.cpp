#include "io/files/file_end.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "io/error.h"
#include "io/quote.h"

namespace chainrule::io::files {
namespace {

class OpenFile {
 public:
  explicit OpenFile(const std::filesystem::path& path)
      : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
    if (descriptor_ < 0) fail(ErrorKind::missing_input, "open", std::strerror(errno));
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() { ::close(descriptor_); }

  std::size_t bytes() const {
    struct stat found {};
    if (::fstat(descriptor_, &found) != 0) fail(ErrorKind::input_output, "look at", std::strerror(errno));
    if (!S_ISREG(found.st_mode)) fail(ErrorKind::missing_input, "read", "it is no file");
    return static_cast<std::size_t>(found.st_size);
  }

  /// Less than so many where the file became shorter meanwhile.
  std::string read(std::size_t from, std::size_t bytes) const {
    std::string text(bytes, '\0');
    std::size_t got = 0;
    while (got < bytes) {
      const ssize_t more = ::pread(descriptor_, text.data() + got, bytes - got, static_cast<off_t>(from + got));
      if (more < 0 && errno == EINTR) continue;
      if (more < 0) fail(ErrorKind::input_output, "read", std::strerror(errno));
      if (more == 0) break;
      got += static_cast<std::size_t>(more);
    }
    text.resize(got);
    return text;
  }

 private:
  [[noreturn]] void fail(ErrorKind kind, const char* operation, const char* why) const {
    throw Error(kind, fmt::format("cannot {} {}: {}", operation, path_in_quotes(path_), why));
  }

  const std::filesystem::path& path_;
  int descriptor_;
};

}  // namespace

FileEnd read_end(const std::filesystem::path& path, std::size_t most_bytes) {
  const OpenFile file(path);
  const std::size_t bytes = file.bytes();
  const std::size_t taken = std::min(bytes, most_bytes);
  return {file.read(bytes - taken, taken), taken == bytes};
}

std::string read_small_file(const std::filesystem::path& path, std::size_t most_bytes) {
  FileEnd end = read_end(path, most_bytes);
  if (end.whole) return std::move(end.text);
  throw Error(ErrorKind::bad_data, fmt::format("{} is longer than {} bytes", path_in_quotes(path), most_bytes));
}

}  // namespace chainrule::io::files

#include "io/files/regular_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "io/error.h"
#include "io/quote.h"

namespace chainrule::io::files {
namespace {

[[noreturn]] void refuse_file(ErrorKind kind, const char* operation, const std::filesystem::path& path,
                              const char* why) {
  throw Error(kind, fmt::format("cannot {} {}: {}", operation, path_in_quotes(path), why));
}

}  // namespace

std::uint64_t require_regular(int descriptor, const std::filesystem::path& path) {
  struct stat found {};
  if (::fstat(descriptor, &found) != 0) refuse_file(ErrorKind::input_output, "look at", path, std::strerror(errno));
  if (!S_ISREG(found.st_mode)) refuse_file(ErrorKind::missing_input, "read", path, "it is not a regular file");
  return static_cast<std::uint64_t>(found.st_size);
}

RegularFile::RegularFile(const std::filesystem::path& path)
    : descriptor_(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
  if (descriptor_ < 0) refuse_file(ErrorKind::missing_input, "open", path, std::strerror(errno));
  try {
    bytes_ = require_regular(descriptor_, path);
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

RegularFile::~RegularFile() { ::close(descriptor_); }

}  // namespace chainrule::io::files

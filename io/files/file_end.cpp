#include "io/files/file_end.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "io/error.h"
#include "io/files/regular_file.h"
#include "io/quote.h"

namespace chainrule::io::files {
namespace {

/// Less than so many where the file became shorter meanwhile.
std::string read_part(const RegularFile& file, std::size_t from, std::size_t bytes, const std::filesystem::path& path) {
  std::string text(bytes, '\0');
  std::size_t got = 0;
  while (got < bytes) {
    const ssize_t more = ::pread(file.descriptor(), text.data() + got, bytes - got, static_cast<off_t>(from + got));
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) {
      throw Error(ErrorKind::input_output,
                  fmt::format("cannot read {}: {}", path_in_quotes(path), std::strerror(errno)));
    }
    if (more == 0) break;
    got += static_cast<std::size_t>(more);
  }
  text.resize(got);
  return text;
}

}  // namespace

FileEnd read_end(const std::filesystem::path& path, std::size_t most_bytes) {
  const RegularFile file(path);
  const auto bytes = static_cast<std::size_t>(file.bytes());
  const std::size_t taken = std::min(bytes, most_bytes);
  return {read_part(file, bytes - taken, taken, path), taken == bytes};
}

std::string read_small_file(const std::filesystem::path& path, std::size_t most_bytes) {
  FileEnd end = read_end(path, most_bytes);
  if (end.whole) return std::move(end.text);
  throw Error(ErrorKind::bad_data, fmt::format("{} is longer than {} bytes", path_in_quotes(path), most_bytes));
}

}  // namespace chainrule::io::files

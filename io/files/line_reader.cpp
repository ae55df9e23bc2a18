#include "io/files/line_reader.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "io/error.h"
#include "io/quote.h"

namespace chainrule::io::files {
namespace {

constexpr std::size_t kPartBytes = std::size_t{1} << 16;

}  // namespace

LineReader::LineReader(const std::filesystem::path& path, std::size_t most_line_bytes)
    : path_(path), most_line_bytes_(most_line_bytes), file_(path), left_(file_.bytes()) {}

void LineReader::read_more() {
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t before = buffer_.size();
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left_, kPartBytes));
  buffer_.resize(before + wanted);
  ssize_t got = 0;
  do {
    got = ::read(file_.descriptor(), buffer_.data() + before, wanted);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    throw Error(ErrorKind::input_output,
                fmt::format("cannot read {}: {}", path_in_quotes(path_), std::strerror(errno)));
  }
  buffer_.resize(before + static_cast<std::size_t>(got));
  left_ = got == 0 ? 0 : left_ - static_cast<std::uint64_t>(got);  // it became shorter meanwhile
}

std::optional<std::string_view> LineReader::next() {
  std::size_t looked_at = begin_;
  for (;;) {
    const std::size_t feed = buffer_.find('\n', looked_at);
    const std::size_t bytes = (feed == std::string::npos ? buffer_.size() : feed) - begin_;
    if (bytes > most_line_bytes_) {
      throw Error(ErrorKind::bad_data, fmt::format("{}, line {}: it is longer than {} bytes", path_in_quotes(path_),
                                                   line_number_ + 1, most_line_bytes_));
    }
    if (feed != std::string::npos) {
      const std::string_view line = std::string_view(buffer_).substr(begin_, bytes);
      begin_ = feed + 1;
      ++line_number_;
      return line;
    }
    if (left_ == 0) return std::nullopt;
    read_more();
    looked_at = bytes;
  }
}

}  // namespace chainrule::io::files

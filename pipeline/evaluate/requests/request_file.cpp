#include "pipeline/evaluate/requests/request_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/error.h"
#include "io/files/digest.h"
#include "io/quote.h"

namespace chainrule::pipeline::evaluate::requests {
namespace {

/// The line that begins at text[at] without its end; at becomes the beginning of the next one.
std::string_view take_line(std::string_view text, std::uint64_t& at) {
  const std::size_t end = std::min(text.find('\n', at), text.size());
  const std::string_view line = text.substr(at, end - at);
  at = std::min<std::uint64_t>(end + 1, text.size());
  return line;
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

}  // namespace

RequestFile::RequestFile(const std::filesystem::path& path) : file_(path) {
  cut();
  if (requests_ == 0) {
    throw io::Error(io::ErrorKind::bad_data, fmt::format("{} holds no request", io::path_in_quotes(path)));
  }
}

std::string_view RequestFile::text() const {
  return {reinterpret_cast<const char*>(file_.bytes().data()), file_.bytes().size()};
}

void RequestFile::cut() {
  std::uint64_t bytes = 0;
  std::uint64_t new_bytes = 0;
  std::uint64_t lines = 0;
  std::string_view before;
  for (std::uint64_t at = 0; at < text().size(); ++lines) {
    const std::uint64_t begin = at;
    const std::string_view line = take_line(text(), at);
    if (is_blank(line)) continue;
    const auto shared = std::mismatch(line.begin(), line.end(), before.begin(), before.end()).first - line.begin();
    const std::uint64_t fresh = line.size() - static_cast<std::uint64_t>(shared);
    if (units_.empty() || units_.back().requests == kMostUnitRequests || bytes + line.size() > kMostUnitBytes ||
        new_bytes + fresh > kMostNewUnitBytes) {
      units_.push_back({begin, lines, 0});
      bytes = new_bytes = 0;
    } else {
      new_bytes += fresh;
    }
    ++units_.back().requests;
    ++requests_;
    bytes += line.size();
    before = line;
  }
}

std::string RequestFile::digest() const { return io::files::text_digest(text()); }

void RequestFile::visit(std::uint64_t unit, const VisitRequest& visit) const {
  std::uint64_t at = units_[unit].begin;
  std::uint64_t line_number = units_[unit].line;
  for (std::uint64_t left = units_[unit].requests; left > 0;) {
    const std::string_view line = take_line(text(), at);
    ++line_number;
    if (is_blank(line)) continue;
    --left;
    const std::string name = fmt::format("{}, line {}", io::path_in_quotes(file_.path()), line_number);
    visit(parse_request(line, name), name);
  }
}

}  // namespace chainrule::pipeline::evaluate::requests

#include "io/quote.h"

#include <fmt/format.h>
#include <utf8proc.h>

namespace chainrule::io {
namespace {

bool is_visible(utf8proc_int32_t character) {
  switch (utf8proc_category(character)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return false;
    default: return true;
  }
}

/// Appends text to line until most_bytes of it are taken; false where more was left.
bool append_legibly(std::string_view text, std::size_t most_bytes, std::string& line) {
  for (std::size_t at = 0; at < text.size();) {
    utf8proc_int32_t character = 0;
    const utf8proc_ssize_t read = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at),
                                                   static_cast<utf8proc_ssize_t>(text.size() - at), &character);
    const std::size_t bytes = read > 0 ? static_cast<std::size_t>(read) : 1;
    if (at + bytes > most_bytes) return false;
    if (read <= 0) {
      line += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at]));
    } else if (is_visible(character)) {
      line += text.substr(at, bytes);
    } else {
      line += fmt::format("\\u{{{:x}}}", static_cast<unsigned>(character));
    }
    at += bytes;
  }
  return true;
}

}  // namespace

std::string on_one_line(std::string_view text) {
  std::string line;
  append_legibly(text, std::string_view::npos, line);
  return line;
}

std::string in_quotes(std::string_view text, std::size_t most_bytes) {
  std::string safe = "'";
  return append_legibly(text, most_bytes, safe) ? safe + "'" : safe + "…'";
}

std::string path_in_quotes(const std::filesystem::path& path) { return in_quotes(path.native(), std::string::npos); }

}  // namespace chainrule::io

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

}  // namespace

std::string in_quotes(std::string_view text, std::size_t most_bytes) {
  std::string safe = "'";
  for (std::size_t at = 0; at < text.size();) {
    utf8proc_int32_t character = 0;
    const utf8proc_ssize_t read = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at),
                                                   static_cast<utf8proc_ssize_t>(text.size() - at), &character);
    const std::size_t bytes = read > 0 ? static_cast<std::size_t>(read) : 1;
    if (at + bytes > most_bytes) return safe + "…'";
    if (read <= 0) {
      safe += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at]));
    } else if (is_visible(character)) {
      safe += text.substr(at, bytes);
    } else {
      safe += fmt::format("\\u{{{:x}}}", static_cast<unsigned>(character));
    }
    at += bytes;
  }
  return safe + "'";
}

std::string path_in_quotes(const std::filesystem::path& path) { return in_quotes(path.native(), std::string::npos); }

}  // namespace chainrule::io

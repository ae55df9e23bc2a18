#include "pipeline/run/configuration.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "pipeline/failure/error.h"

namespace chainrule::pipeline::run {
namespace {

constexpr std::string_view kBlanks = " \t\r\v\f";
constexpr std::string_view kHexadecimal = "0123456789abcdef";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// One line of a configuration.
class LineReader {
 public:
  LineReader(std::string_view line, const std::string& source, std::size_t number)
      : line_(line), source_(source), number_(number) {}

  /// The line's option; nothing for a line without one.
  std::optional<std::pair<std::string, std::string>> read() const {
    const std::string_view line = trimmed(line_);
    if (line.empty() || line[0] == '#') return std::nullopt;
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) refuse("there is no 'name = value' in it");
    const std::string_view name = trimmed(line.substr(0, equals));
    if (name.empty() || name.find_first_of("#\" \t") != std::string_view::npos) refuse("its name is none of an option");
    const std::string_view rest = trimmed(line.substr(equals + 1));
    return std::pair(std::string(name), rest.starts_with('"') ? quoted(rest) : bare(rest));
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw io::Error(io::ErrorKind::bad_data, fmt::format("'{}', line {}: {}", source_, number_, why));
  }

  static std::string bare(std::string_view rest) {
    std::size_t hash = rest.find('#');
    while (hash != std::string_view::npos && hash > 0 && kBlanks.find(rest[hash - 1]) == std::string_view::npos) {
      hash = rest.find('#', hash + 1);
    }
    return std::string(trimmed(rest.substr(0, hash)));
  }

  std::string quoted(std::string_view rest) const {
    std::string value;
    std::size_t at = 1;
    while (at < rest.size() && rest[at] != '"') value += rest[at] == '\\' ? escaped(rest, at) : rest[at++];
    if (at >= rest.size()) refuse("a quote is not closed");
    const std::string_view behind = trimmed(rest.substr(at + 1));
    if (!behind.empty() && behind[0] != '#') refuse("something follows the closing quote");
    return value;
  }

  char escaped(std::string_view rest, std::size_t& at) const {
    const char kind = at + 1 < rest.size() ? rest[at + 1] : '\0';
    at += 2;
    switch (kind) {
      case '\\':
      case '"': return kind;
      case 'n': return '\n';
      case 'r': return '\r';
      case 't': return '\t';
      case 'x': {
        const std::size_t high = at < rest.size() ? kHexadecimal.find(rest[at]) : std::string_view::npos;
        const std::size_t low = at + 1 < rest.size() ? kHexadecimal.find(rest[at + 1]) : std::string_view::npos;
        if (high == std::string_view::npos || low == std::string_view::npos) break;
        at += 2;
        return static_cast<char>(high << 4U | low);
      }
      default: break;
    }
    refuse("a backslash in quotes is followed by none of \\ \" n r t xHH");
  }

  std::string_view line_;
  const std::string& source_;
  std::size_t number_;
};

/// Whether a value reads back as itself without quotes, also by eye: printable ASCII and UTF-8.
bool is_plain(std::string_view value) {
  if (value.empty() || value != trimmed(value) || value[0] == '"') return false;
  return std::none_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f || c == '#' || c == '\\';
  });
}

std::string in_quotes(std::string_view value) {
  std::string text = "\"";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\\' || c == '"') {
      text += '\\';
      text += c;
    } else if (c == '\n') {
      text += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      text += "\\x";
      text += kHexadecimal[byte >> 4U];
      text += kHexadecimal[byte & 15U];
    } else {
      text += c;
    }
  }
  return text + '"';
}

/// All values of an option, in order.
std::vector<std::string> values_of(const Configuration& configuration, const std::string& name) {
  std::vector<std::string> values;
  for (const auto& [each, value] : configuration) {
    if (each == name) values.push_back(value);
  }
  return values;
}

std::string said(const std::vector<std::string>& values) {
  if (values.empty()) return "not set";
  std::string text;
  for (const std::string& value : values) text += fmt::format("{}'{}'", text.empty() ? "" : " ", value);
  return text;
}

}  // namespace

Configuration parse_configuration(std::string_view text, const std::string& source) {
  Configuration configuration;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    if (auto line = LineReader(text.substr(0, end), source, number).read()) configuration.push_back(std::move(*line));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return configuration;
}

std::string to_text(const Configuration& configuration) {
  std::string text;
  for (const auto& [name, value] : configuration) {
    text += fmt::format("{} = {}\n", name, is_plain(value) ? value : in_quotes(value));
  }
  return text;
}

Configuration read_configuration(const std::filesystem::path& file) {
  return parse_configuration(io::files::read_file(file), file.string());
}

std::optional<std::string> value_of(const Configuration& configuration, const std::string& name) {
  for (const auto& [each, value] : configuration) {
    if (each == name) return value;
  }
  return std::nullopt;
}

void set_value(Configuration& configuration, const std::string& name, const std::string& value) {
  for (auto& [each, old] : configuration) {
    if (each == name) {
      old = value;
      return;
    }
  }
  configuration.emplace_back(name, value);
}

void check_same_run(const Configuration& saved, const Configuration& now, const std::vector<std::string>& may_differ) {
  Configuration either = saved;
  either.insert(either.end(), now.begin(), now.end());
  for (const auto& [name, unused] : either) {
    if (std::find(may_differ.begin(), may_differ.end(), name) != may_differ.end()) continue;
    const auto before = values_of(saved, name);
    const auto after = values_of(now, name);
    if (before == after) continue;
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("option '--{}' is {} in this run and {} now; it may not change within a "
                                     "run (choose another --run)",
                                     name, said(before), said(after)));
  }
}

}  // namespace chainrule::pipeline::run

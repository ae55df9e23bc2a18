#include "pipeline/watch/metrics_end.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "io/error.h"
#include "io/files/file_end.h"
#include "io/files/presence.h"
#include "io/files/untrusted_json.h"
#include "io/quote.h"

namespace chainrule::pipeline::watch {
namespace {

constexpr std::size_t kEndBytes = 65'536;
constexpr std::size_t kMostLines = 10;

/// The last whole lines, the last one first.
std::vector<std::string_view> last_lines(const io::files::FileEnd& end) {
  std::vector<std::string_view> lines;
  std::string_view rest = std::string_view(end.text).substr(0, end.text.rfind('\n') + 1);  // npos + 1 is 0
  while (!rest.empty() && lines.size() < kMostLines) {
    rest.remove_suffix(1);
    const std::size_t before = rest.rfind('\n');
    if (before == std::string_view::npos && !end.whole) break;  // its beginning was not read
    const std::size_t begin = before + 1;
    lines.push_back(rest.substr(begin));
    rest = rest.substr(0, begin);
  }
  return lines;
}

/// A number of a line; not a number for null.
double number_of(const nlohmann::json& line, const char* member, const std::string& name) {
  const auto found = line.find(member);
  if (found != line.end() && found->is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (found != line.end() && found->is_number()) return found->get<double>();
  throw io::Error(io::ErrorKind::bad_data, fmt::format("{}: '{}' is no number", name, member));
}

std::int64_t step_of(const nlohmann::json& line, const std::string& name) {
  const double step = number_of(line, "step", name);
  if (step >= 1 && step < 9e18 && line["step"].is_number_integer()) return line["step"].get<std::int64_t>();
  throw io::Error(io::ErrorKind::bad_data, fmt::format("{}: 'step' is no step", name));
}

nlohmann::json parse_line(std::string_view text, const std::string& name) {
  nlohmann::json line = io::files::parse_untrusted_json(text, name);
  if (!line.is_object()) throw io::Error(io::ErrorKind::bad_data, fmt::format("{} is no object", name));
  return line;
}

}  // namespace

std::optional<MetricsEnd> read_metrics_end(const std::filesystem::path& path) {
  if (!io::files::is_there(path)) return std::nullopt;
  const io::files::FileEnd end = io::files::read_end(path, kEndBytes);
  const std::vector<std::string_view> lines = last_lines(end);
  if (lines.empty() && !end.whole) {
    throw io::Error(io::ErrorKind::bad_data, fmt::format("{}: there is no whole line in its last {} bytes",
                                                         io::path_in_quotes(path), kEndBytes));
  }
  std::optional<MetricsEnd> found;
  double seconds_per_token = 0;  // all steps have as many tokens
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string name = fmt::format("{}, line {} from its end", io::path_in_quotes(path), i + 1);
    const nlohmann::json line = parse_line(lines[i], name);
    const std::int64_t step = step_of(line, name);
    if (!found) found = MetricsEnd{step, number_of(line, "loss", name), std::nullopt};
    seconds_per_token += 1 / number_of(line, "tokens_per_second", name);
  }
  const double rate = static_cast<double>(lines.size()) / seconds_per_token;
  if (found && std::isfinite(rate) && rate > 0) found->tokens_per_second = rate;
  return found;
}

}  // namespace chainrule::pipeline::watch

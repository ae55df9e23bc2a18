#include "io/text/left_out.h"

#include <fmt/format.h>

#include <cstddef>
#include <map>

#include "io/quote.h"

namespace chainrule::io::text {

std::string report_of(const std::vector<LeftOut>& left_out, bool list) {
  if (left_out.empty()) return "";
  std::map<std::string_view, std::size_t> counts;
  for (const LeftOut& each : left_out) ++counts[each.why];
  std::string parts;
  for (const auto& [why, count] : counts) parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", count, why);
  std::string text = fmt::format("{} left out below the inputs ({})", left_out.size(), parts);
  if (!list) return text + "; --list-skipped names them\n";
  text += ":\n";
  for (const LeftOut& each : left_out) {
    text += fmt::format("  {}: {}{}\n", in_quotes(each.name, std::string::npos), each.why,
                        each.what.empty() ? "" : fmt::format(" ({})", each.what));
  }
  return text;
}

}  // namespace chainrule::io::text

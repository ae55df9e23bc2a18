#include "pipeline/show/numbers.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cmath>
#include <cstddef>

namespace chainrule::pipeline::show {

std::string grouped(std::uint64_t number) {
  std::string digits = fmt::format("{}", number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return digits;
}

std::string scaled(double number) {
  if (number >= 1e9) return fmt::format("{:.1f}G", number / 1e9);
  if (number >= 1e6) return fmt::format("{:.1f}M", number / 1e6);
  if (number >= 1e4) return fmt::format("{:.1f}k", number / 1e3);
  return fmt::format("{:.0f}", number);
}

std::string utc_text(std::time_t time) { return fmt::format("{:%FT%TZ}", fmt::gmtime(time)); }

std::string clock_time(double seconds, Hours hours) {
  if (!(std::abs(seconds) < 1e15)) return "?";
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole >= 3600 || hours == Hours::always) {
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace chainrule::pipeline::show

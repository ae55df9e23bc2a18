#include "pipeline/show/numbers.h"

#include <fmt/format.h>

#include <cstddef>

namespace chainrule::pipeline::show {

std::string grouped(std::uint64_t number) {
  std::string digits = fmt::format("{}", number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return digits;
}

std::string clock_time(double seconds, Hours hours) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole >= 3600 || hours == Hours::always) {
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace chainrule::pipeline::show

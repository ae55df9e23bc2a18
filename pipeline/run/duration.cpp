#include "pipeline/run/duration.h"

#include <charconv>
#include <stdexcept>
#include <string>
#include <vector>

namespace chainrule::pipeline::run {
namespace {

[[noreturn]] void refuse(std::string_view text) {
  throw std::invalid_argument("'" + std::string(text) + "' is no time limit such as 90, 90:00, 1:30:00 or 1-12:00:00");
}

/// The numbers between colons.
std::vector<double> numbers_of(std::string_view text, std::string_view whole) {
  std::vector<double> numbers;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(':', begin), text.size());
    unsigned value = 0;
    const auto [behind, error] = std::from_chars(text.data() + begin, text.data() + end, value);
    if (error != std::errc() || behind != text.data() + end) refuse(whole);
    numbers.push_back(value);
    begin = end + 1;
  }
  return numbers;
}

}  // namespace

double parse_duration(std::string_view text) {
  constexpr double kMinute = 60;
  constexpr double kHour = 60 * kMinute;
  constexpr double kDay = 24 * kHour;
  const std::size_t dash = text.find('-');
  double seconds = 0;
  if (dash != std::string_view::npos) {
    const std::vector<double> days = numbers_of(text.substr(0, dash), text);
    const std::vector<double> rest = numbers_of(text.substr(dash + 1), text);
    if (days.size() != 1 || rest.size() > 3) refuse(text);
    seconds = days[0] * kDay;
    const double units[] = {kHour, kMinute, 1};
    for (std::size_t i = 0; i < rest.size(); ++i) seconds += rest[i] * units[i];
  } else {
    const std::vector<double> all = numbers_of(text, text);
    if (all.size() > 3) refuse(text);
    const double units[] = {kHour, kMinute, 1};
    const std::size_t first = all.size() == 3 ? 0 : 1;
    for (std::size_t i = 0; i < all.size(); ++i) seconds += all[i] * units[first + i];
  }
  if (seconds == 0) refuse(text);
  return seconds;
}

}  // namespace chainrule::pipeline::run

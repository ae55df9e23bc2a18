#include "pipeline/job/number_list.h"

#include <fmt/format.h>

#include <charconv>
#include <set>
#include <vector>

namespace chainrule::pipeline::job {
namespace {

/// Takes a number from the beginning of text; false where there is none.
bool take_number(std::string_view& text, int& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0 || number > 1 << 20) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

void add_numbers(std::string_view text, std::set<int>& numbers) {
  for (int first = 0; take_number(text, first);) {
    int last = first;
    if (text.starts_with('-')) {
      text.remove_prefix(1);
      if (!take_number(text, last)) return;
    }
    for (int number = first; number <= last; ++number) numbers.insert(number);
    if (!text.starts_with(',')) return;
    text.remove_prefix(1);
  }
}

}  // namespace

std::string number_list(std::span<const int> numbers) {
  std::string text;
  for (std::size_t first = 0, end = 0; first < numbers.size(); first = end) {
    for (end = first + 1; end < numbers.size() && numbers[end] == numbers[end - 1] + 1;) ++end;
    if (!text.empty()) text += ',';
    text += fmt::format("{}", numbers[first]);
    if (end - first > 1) text += fmt::format("-{}", numbers[end - 1]);
  }
  return text;
}

std::string number_list_of_both(std::string_view a, std::string_view b) {
  std::set<int> numbers;
  add_numbers(a, numbers);
  add_numbers(b, numbers);
  return number_list(std::vector<int>(numbers.begin(), numbers.end()));
}

}  // namespace chainrule::pipeline::job

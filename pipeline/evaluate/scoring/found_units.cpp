#include "pipeline/evaluate/scoring/found_units.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace chainrule::pipeline::evaluate::scoring {

FoundUnits::FoundUnits(const comm::Communicator& communicator, const journal::Journal* journal) {
  using Range = decltype(ranges_)::value_type;
  std::string text;
  if (journal != nullptr) {
    ranges_ = journal->ranges();
    text.assign(reinterpret_cast<const char*>(ranges_.data()), ranges_.size() * sizeof(Range));
  }
  text = communicator.broadcast(text);
  ranges_.resize(text.size() / sizeof(Range));
  if (!text.empty()) std::memcpy(static_cast<void*>(ranges_.data()), text.data(), text.size());
}

bool FoundUnits::has(std::uint64_t unit) const {
  const auto behind = std::upper_bound(ranges_.begin(), ranges_.end(), unit,
                                       [](std::uint64_t wanted, const auto& range) { return wanted < range.first; });
  return behind != ranges_.begin() && unit < std::prev(behind)->second;
}

std::uint64_t FoundUnits::count() const {
  std::uint64_t units = 0;
  for (const auto& [first, end] : ranges_) units += end - first;
  return units;
}

}  // namespace chainrule::pipeline::evaluate::scoring

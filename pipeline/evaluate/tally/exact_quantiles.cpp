#include "pipeline/evaluate/tally/exact_quantiles.h"

#include <algorithm>
#include <bit>
#include <map>
#include <span>

namespace chainrule::pipeline::evaluate::tally {
namespace {

constexpr unsigned kDigitBits = 16;
constexpr std::uint64_t kDigits = std::uint64_t{1} << kDigitBits;
constexpr std::uint64_t kSign = std::uint64_t{1} << 63U;

/// Integers in the order of the numbers.
std::uint64_t key_of(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value + 0.0);  // no minus zero
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}
double value_of(std::uint64_t key) { return std::bit_cast<double>((key & kSign) != 0 ? key & ~kSign : ~key); }

/// A place among the keys that begin with the digits that are known.
struct Sought {
  std::uint64_t place = 0;
  std::uint64_t known = 0;

  /// counts: of those keys by their next digit.
  void learn(const std::vector<std::uint64_t>& counts) {
    std::uint64_t digit = 0;
    for (; place >= counts[digit]; ++digit) place -= counts[digit];
    known = (known << kDigitBits) | digit;
  }
};

}  // namespace

void ExactQuantiles::add(double value) {
  const std::uint64_t key = key_of(value);
  file_.append(std::as_bytes(std::span(&key, 1)));
}

void ExactQuantiles::for_each_key(const std::function<void(std::uint64_t)>& visit) const {
  constexpr std::uint64_t kBlock = 1 << 16;
  std::vector<std::uint64_t> block;
  for (std::uint64_t first = 0; first < size(); first += block.size()) {
    block.resize(std::min(size() - first, kBlock));
    file_.read(first * sizeof(std::uint64_t), std::as_writable_bytes(std::span(block)));
    for (const std::uint64_t key : block) visit(key);
  }
}

std::vector<double> ExactQuantiles::at_places(const std::vector<std::uint64_t>& places) const {
  std::vector<Sought> sought;
  for (const std::uint64_t place : places) sought.push_back({place, 0});
  for (unsigned shift = 64; shift > 0;) {
    shift -= kDigitBits;
    std::map<std::uint64_t, std::vector<std::uint64_t>> counts;  // by what is known
    for (const Sought& each : sought) counts[each.known].resize(kDigits);
    for_each_key([&](std::uint64_t key) {
      const std::uint64_t known = (key >> shift) >> kDigitBits;
      if (const auto found = counts.find(known); found != counts.end()) ++found->second[(key >> shift) % kDigits];
    });
    for (Sought& each : sought) each.learn(counts.at(each.known));
  }
  std::vector<double> values;
  for (const Sought& each : sought) values.push_back(value_of(each.known));
  return values;
}

std::vector<double> ExactQuantiles::at(const std::vector<double>& fractions) {
  file_.flush();
  if (size() == 0) return {};
  const std::uint64_t last = size() - 1;
  std::vector<std::uint64_t> places;
  for (const double fraction : fractions) {
    const auto below = static_cast<std::uint64_t>(fraction * static_cast<double>(last));
    places.insert(places.end(), {std::min(below, last), std::min(below + 1, last)});
  }
  const std::vector<double> values = at_places(places);
  std::vector<double> quantiles;
  for (std::size_t i = 0; i < fractions.size(); ++i) {
    const double behind = fractions[i] * static_cast<double>(last) - static_cast<double>(places[2 * i]);
    quantiles.push_back(values[2 * i] + behind * (values[2 * i + 1] - values[2 * i]));
  }
  return quantiles;
}

}  // namespace chainrule::pipeline::evaluate::tally

#include "pipeline/evaluate/tally/group_tallies.h"

#include <bit>

namespace chainrule::pipeline::evaluate::tally {
namespace {

TokenTally& at(std::vector<TokenTally>& tallies, std::size_t index) {
  if (index >= tallies.size()) tallies.resize(index + 1);
  return tallies[index];
}

bool is_empty(const TokenTally& tally) { return tally == TokenTally(); }

}  // namespace

void DoublingBands::add(const ScoredToken& token) {
  at(tallies_, static_cast<std::size_t>(std::bit_width(number_(token)))).add(token);
}

std::vector<Band> DoublingBands::bands() const {
  std::vector<Band> bands;
  for (std::size_t bits = 0; bits < tallies_.size(); ++bits) {
    if (is_empty(tallies_[bits])) continue;
    const std::uint64_t from = bits == 0 ? 0 : std::uint64_t{1} << (bits - 1);
    bands.push_back({from, bits == 0 ? 0 : from - 1 + from, tallies_[bits]});
  }
  return bands;
}

void FrequencyBands::add(const ScoredToken& token) { at(tallies_, token.token).add(token); }

std::vector<Band> FrequencyBands::bands() const {
  std::vector<Band> bands;
  const auto scored = [](const TokenTally& tally) { return tally.all().count() + tally.all().nonfinite(); };
  for (std::uint64_t from = 1;; from *= 10) {
    Band band{from, 10 * from - 1, {}};
    bool is_last = true;
    for (const TokenTally& tally : tallies_) {
      const std::uint64_t times = scored(tally);
      if (times > band.to) is_last = false;
      if (times >= band.from && times <= band.to) band.tally.merge(tally);
    }
    if (!is_empty(band.tally)) bands.push_back(band);
    if (is_last) return bands;
  }
}

}  // namespace chainrule::pipeline::evaluate::tally

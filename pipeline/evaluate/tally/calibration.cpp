#include "pipeline/evaluate/tally/calibration.h"

#include <algorithm>
#include <cmath>

namespace chainrule::pipeline::evaluate::tally {

void Calibration::add(const ScoredToken& token) {
  if (token.nll.count() == 0) return;
  const double probability = static_cast<double>(token.top_probability);
  const double place = std::clamp(probability * static_cast<double>(kBins), 0.0, static_cast<double>(kBins - 1));
  Bin& bin = bins_[static_cast<std::size_t>(place)];
  bin.probability.add(probability);
  if (token.likelier == 0) ++bin.hits;
}

std::optional<double> expected_calibration_error(const std::array<Calibration::Bin, Calibration::kBins>& bins) {
  std::uint64_t tokens = 0;
  double error = 0;
  for (const Calibration::Bin& bin : bins) {
    tokens += bin.probability.count();
    error += std::abs(static_cast<double>(bin.hits) - bin.probability.nats());
  }
  return tokens == 0 ? std::nullopt : std::optional(error / static_cast<double>(tokens));
}

}  // namespace chainrule::pipeline::evaluate::tally

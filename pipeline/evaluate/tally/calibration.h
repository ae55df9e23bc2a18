#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "pipeline/evaluate/tally/token_sink.h"

namespace chainrule::pipeline::evaluate::tally {

/// How often the likeliest token came, by how probable it was held to be. Tokens without a finite result are left out.
class Calibration final : public TokenSink {
 public:
  static constexpr std::size_t kBins = 20;
  /// Probabilities [i / kBins, (i + 1) / kBins) of the likeliest token; the last bin holds 1 too.
  struct Bin {
    comm::ExactSum probability;  ///< of the likeliest tokens: their sum over their number is what was expected
    std::uint64_t hits = 0;      ///< tokens that were the likeliest: over their number, what was observed
    bool operator==(const Bin&) const = default;
  };

  void add(const ScoredToken& token) override;
  const std::array<Bin, kBins>& bins() const { return bins_; }

 private:
  std::array<Bin, kBins> bins_;
};

/// Expected calibration error: the bins' |observed - expected|, weighted by their tokens (Naeini, Cooper, Hauskrecht
/// 2015). Empty where there are none.
std::optional<double> expected_calibration_error(const std::array<Calibration::Bin, Calibration::kBins>& bins);

}  // namespace chainrule::pipeline::evaluate::tally

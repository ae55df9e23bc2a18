#pragma once
#include <array>
#include <cstdint>

#include "pipeline/evaluate/tally/scored_token.h"

namespace chainrule::pipeline::evaluate::tally {

/// What is summed up of a group of scored tokens. Sums are exact, so groups merge in any order.
struct TokenTally {
  comm::ExactSum text;         ///< nats of tokens but end-of-text
  comm::ExactSum end_of_text;  ///< nats of end-of-text tokens
  comm::ExactSum squares;      ///< of the tokens' nats (of both kinds)
  comm::ExactSum entropy;      ///< nats of the predictive distributions
  std::uint64_t top1 = 0;      ///< tokens that were the likeliest
  std::uint64_t top5 = 0;      ///< tokens that were among the five likeliest

  void add(const ScoredToken& token);
  void merge(const TokenTally& other);
  /// Text and end-of-text together.
  comm::ExactSum all() const;
  bool operator==(const TokenTally&) const = default;
};

/// All of a tally, for files.
inline constexpr std::size_t kTallyNumbers = 18;
std::array<std::uint64_t, kTallyNumbers> to_numbers(const TokenTally& tally);
TokenTally from_numbers(const std::array<std::uint64_t, kTallyNumbers>& numbers);

}  // namespace chainrule::pipeline::evaluate::tally

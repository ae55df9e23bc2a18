#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace chainrule::pipeline::windows {

/// Places in a sequence, dealt out to sources in proportion to their weights: after every place, what each source has
/// had differs from its share of all by less than 1. One period (the sum of the weights, divided by their greatest
/// common divisor) is made by the quota method, the earliest deadline first (Tijdeman, The chairman assignment problem,
/// 1980; Steiner, Yeomans, Level schedules for mixed-model, just-in-time processes, 1993); the sequence repeats it, so
/// that any place is looked up.
class Apportionment {
 public:
  /// No period is longer.
  static constexpr std::uint64_t kLongestPeriod = 1'000'000;
  static constexpr std::size_t kMostSources = 1'000;

  /// The period that weights have, each below 2^40; 0 where all are 0.
  static std::uint64_t period_of(std::span<const std::uint64_t> weights);

  /// A weight for each source, each below 2^40; those of weight 0 get nothing. Of sources with equal deadlines the
  /// first is first. Throws std::length_error where the period is 0 or longer than kLongestPeriod, or where there are
  /// more than kMostSources.
  explicit Apportionment(std::span<const std::uint64_t> weights);

  struct Place {
    std::size_t source = 0;
    std::uint64_t index = 0;  ///< among the source's own places
    bool operator==(const Place&) const = default;
  };
  /// Whose place n is.
  Place at(std::uint64_t n) const;
  /// Of the first n places, how many each source has.
  std::vector<std::uint64_t> counts(std::uint64_t n) const;

 private:
  struct Slot {
    std::uint32_t source;
    std::uint32_t index;  // among those of the source in the period
  };
  std::vector<std::uint64_t> shares_;  // of the period, by source
  std::vector<Slot> period_;
};

}  // namespace chainrule::pipeline::windows

#include "pipeline/windows/apportionment.h"

#include <numeric>
#include <stdexcept>

#include "model/round_up.h"

namespace chainrule::pipeline::windows {
namespace {

std::uint64_t common_divisor(std::span<const std::uint64_t> weights) {
  std::uint64_t divisor = 0;
  for (const std::uint64_t weight : weights) divisor = std::gcd(divisor, weight);
  return divisor;
}

/// A source that gets places of a period.
struct Claim {
  std::uint32_t source = 0;
  std::uint64_t share = 0;
  std::uint64_t taken = 0;
  std::uint64_t release = 0;   // with a place before this one it would have 1 more than its share, or above that
  std::uint64_t deadline = 0;  // without a place up to this one it would have 1 less than its share, or below that
};

/// When the next place of a source may and has to come; places count from 1.
void set_window(Claim& claim, std::uint64_t period) {
  claim.release = claim.taken * period / claim.share + 1;
  claim.deadline = model::divide_up((claim.taken + 1) * period, claim.share);
}

}  // namespace

std::uint64_t Apportionment::period_of(std::span<const std::uint64_t> weights) {
  const std::uint64_t divisor = common_divisor(weights);
  if (divisor == 0) return 0;
  return std::accumulate(weights.begin(), weights.end(), std::uint64_t{0}) / divisor;
}

Apportionment::Apportionment(std::span<const std::uint64_t> weights) {
  const std::uint64_t period = period_of(weights);
  if (period == 0 || period > kLongestPeriod || weights.size() > kMostSources) {
    throw std::length_error("weights that make no period, or one that is too long");
  }
  const std::uint64_t divisor = common_divisor(weights);
  std::vector<Claim> claims;
  for (const std::uint64_t weight : weights) {
    shares_.push_back(weight / divisor);
    if (weight == 0) continue;
    claims.push_back({.source = static_cast<std::uint32_t>(shares_.size() - 1), .share = shares_.back()});
    set_window(claims.back(), period);
  }
  period_.reserve(period);
  for (std::uint64_t place = 1; place <= period; ++place) {
    Claim* chosen = nullptr;
    for (Claim& claim : claims) {
      if (claim.release <= place && (chosen == nullptr || claim.deadline < chosen->deadline)) chosen = &claim;
    }
    if (chosen == nullptr || chosen->deadline < place) throw std::logic_error("an apportionment left its quota");
    period_.push_back({chosen->source, static_cast<std::uint32_t>(chosen->taken)});
    ++chosen->taken;
    set_window(*chosen, period);
  }
}

Apportionment::Place Apportionment::at(std::uint64_t n) const {
  const Slot& slot = period_[n % period_.size()];
  return {slot.source, n / period_.size() * shares_[slot.source] + slot.index};
}

std::vector<std::uint64_t> Apportionment::counts(std::uint64_t n) const {
  std::vector<std::uint64_t> counts;
  for (const std::uint64_t share : shares_) counts.push_back(n / period_.size() * share);
  for (std::uint64_t i = 0; i < n % period_.size(); ++i) ++counts[period_[i].source];
  return counts;
}

}  // namespace chainrule::pipeline::windows

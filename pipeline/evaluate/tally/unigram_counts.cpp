#include "pipeline/evaluate/tally/unigram_counts.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace chainrule::pipeline::evaluate::tally {
namespace {

/// Counts in order of tokens: sums over a hash table would depend on the order of its insertions.
using OrderedCounts = std::map<std::uint32_t, std::uint64_t>;

std::optional<double> entropy_of(const OrderedCounts& counts) {
  double total = 0;
  double weighted = 0;
  for (const auto& [token, count] : counts) {
    const auto times = static_cast<double>(count);
    total += times;
    weighted += times * std::log(times);
  }
  if (counts.empty()) return std::nullopt;
  return std::max(0.0, std::log(total) - weighted / total);
}

}  // namespace

std::optional<double> UnigramCounts::entropy_nats(std::size_t domain) const {
  return entropy_of({domains_[domain].begin(), domains_[domain].end()});
}

std::optional<double> UnigramCounts::entropy_nats() const {
  OrderedCounts all;
  for (const auto& domain : domains_) {
    for (const auto& [token, count] : domain) all[token] += count;
  }
  return entropy_of(all);
}

void UnigramCounts::add(const ScoredToken& token) {
  if (token.nll.count() != 0) add(token.domain, token.token);
}

}  // namespace chainrule::pipeline::evaluate::tally

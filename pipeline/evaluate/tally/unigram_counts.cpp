#include "pipeline/evaluate/tally/unigram_counts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
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

void UnigramCounts::write(WireWriter& out) const {
  out.number(domains_.size());
  for (const Counts& domain : domains_) {
    const OrderedCounts ordered(domain.begin(), domain.end());
    out.number(ordered.size());
    for (const auto& [token, count] : ordered) {
      out.number(token);
      out.number(count);
    }
  }
}

void UnigramCounts::merge(WireReader& in) {
  if (const std::uint64_t domains = in.number(); domains != domains_.size()) {
    in.refuse(fmt::format("counts tokens of {} domains, not of {}", domains, domains_.size()));
  }
  for (std::size_t domain = 0; domain < domains_.size(); ++domain) {
    const std::size_t entries = in.list(2 * sizeof(std::uint64_t));
    std::uint64_t next = 0;
    for (std::size_t i = 0; i < entries; ++i) {
      const std::uint64_t token = in.number();
      if (token < next || token > std::numeric_limits<std::uint32_t>::max()) {
        in.refuse(fmt::format("token {} follows {}", token, next));
      }
      next = token + 1;
      domains_[domain][static_cast<std::uint32_t>(token)] += in.number();
    }
  }
}

}  // namespace chainrule::pipeline::evaluate::tally

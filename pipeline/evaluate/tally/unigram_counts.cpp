#include "pipeline/evaluate/tally/unigram_counts.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <span>
#include <type_traits>

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

struct Travelling {
  std::uint64_t domain = 0;
  std::uint64_t token = 0;
  std::uint64_t count = 0;
};
static_assert(std::has_unique_object_representations_v<Travelling>, "no padding travels");

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

void UnigramCounts::gather(const comm::Communicator& communicator) {
  std::vector<Travelling> sent;
  if (communicator.rank() != 0) {
    for (std::size_t domain = 0; domain < domains_.size(); ++domain) {
      for (const auto& [token, count] : domains_[domain]) sent.push_back({domain, token, count});
    }
  }
  for (const auto& bytes : communicator.gather(std::as_bytes(std::span(sent)))) {
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(Travelling)) {
      Travelling got;
      std::memcpy(&got, bytes.data() + at, sizeof got);
      add(static_cast<std::uint16_t>(got.domain), static_cast<std::uint32_t>(got.token), got.count);
    }
  }
}

}  // namespace chainrule::pipeline::evaluate::tally

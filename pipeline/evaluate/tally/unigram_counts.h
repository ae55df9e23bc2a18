#pragma once
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "pipeline/evaluate/tally/token_sink.h"

namespace chainrule::pipeline::evaluate::tally {

/// How often each token was scored with a finite result, per domain. Memory grows with the distinct tokens of each
/// domain.
class UnigramCounts final : public TokenSink {
 public:
  explicit UnigramCounts(std::size_t domains) : domains_(domains) {}

  void add(std::uint16_t domain, std::uint32_t token, std::uint64_t times = 1) { domains_[domain][token] += times; }

  void add(const ScoredToken& token) override;

  /// Entropy in nats of the empirical distribution of one domain's scored tokens: -sum (c/n) ln (c/n). No unigram
  /// model has a lower cross-entropy on them. Empty where there are none. The same bits for equal counts.
  std::optional<double> entropy_nats(std::size_t domain) const;
  /// Of all domains together.
  std::optional<double> entropy_nats() const;

 private:
  using Counts = std::unordered_map<std::uint32_t, std::uint64_t>;
  std::vector<Counts> domains_;
};

}  // namespace chainrule::pipeline::evaluate::tally

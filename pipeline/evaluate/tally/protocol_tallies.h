#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "pipeline/evaluate/tally/token_sink.h"

namespace chainrule::pipeline::evaluate::tally {

/// An average of windows' mean nats: sum(weight x mean) / sum(weight), windows in their order.
class WindowAverage final : public TokenSink {
 public:
  /// The weight of the window of this index, which scores so many tokens.
  using Weight = std::function<double(std::uint64_t window, std::int64_t scored)>;
  explicit WindowAverage(Weight weight) : weight_(std::move(weight)) {}

  void add(const ScoredToken& token) override;
  /// Empty where the weights are 0 in sum, or some result was not finite.
  std::optional<double> nats() const;

 private:
  Weight weight_;
  std::int64_t seen_ = 0;  ///< of the window in work
  comm::ExactSum sum_;     ///< of the window in work
  double weighted_ = 0;
  double weights_ = 0;
  bool finite_ = true;
};

/// How many tokens were predicted from how many. Memory grows with the longest context.
class ContextCounts final : public TokenSink {
 public:
  void add(const ScoredToken& token) override;

  std::uint64_t minimum() const;  ///< 0 where there are none
  std::uint64_t maximum() const { return counts_.empty() ? 0 : counts_.size() - 1; }
  std::uint64_t median() const;  ///< the lower of the two in the middle
  std::optional<double> mean() const;

 private:
  std::uint64_t tokens() const;
  std::vector<std::uint64_t> counts_;  ///< by context
};

/// What a protocol's own numbers are made of, beside EvaluationTallies.
struct ProtocolTallies {
  explicit ProtocolTallies(const std::vector<WindowAverage::Weight>& weights)
      : averages(weights.begin(), weights.end()) {}

  void add(const ScoredToken& token) {
    for (WindowAverage& average : averages) average.add(token);
    contexts.add(token);
  }

  std::vector<WindowAverage> averages;
  ContextCounts contexts;
};

}  // namespace chainrule::pipeline::evaluate::tally

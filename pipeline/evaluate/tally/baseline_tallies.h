#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>

#include "pipeline/evaluate/tally/exact_quantiles.h"
#include "pipeline/evaluate/tally/ratio_of_sums.h"
#include "pipeline/evaluate/tally/token_sink.h"

namespace chainrule::pipeline::evaluate::tally {

/// The mean over tokens of a number that each has, and both its standard errors. Sums are in the order of tokens.
class TokenMean {
 public:
  void add(double value);
  /// What was added since the last call is a document of so many tokens.
  void close_document(std::uint64_t tokens);

  std::uint64_t tokens() const { return tokens_; }
  std::optional<double> mean() const;
  /// See RatioOfSums.
  std::optional<double> standard_error() const { return by_document_.standard_error(); }
  /// As if tokens were independent: sqrt((mean square - mean^2) / (n - 1)). Empty for fewer than two.
  std::optional<double> independent_standard_error() const;

 private:
  std::uint64_t tokens_ = 0;
  double sum_ = 0;
  double squares_ = 0;
  double of_document_ = 0;
  RatioOfSums by_document_;
};

/// How far a model's predictions are from a baseline's, of the tokens that have finite results of both; in the order of
/// windows.
class BaselineTallies final : public TokenSink {
 public:
  /// folder: where values lie that are too many for memory. Throws io::Error cannot_create.
  explicit BaselineTallies(const std::filesystem::path& folder) : kl_values(folder), change_values(folder) {}

  /// Throws io::Error: bad_data where the token has no baseline; input_output.
  void add(const ScoredToken& token) override;
  /// Once all are added.
  void finish() { close_document(); }

  std::uint64_t tokens() const { return kl.tokens(); }
  std::uint64_t nonfinite() const { return nonfinite_; }
  /// Of the tokens' nats under both (Pearson's). Empty where either does not vary.
  std::optional<double> correlation() const;

  TokenMean kl, same_top;
  TokenMean baseline_nats;
  TokenMean nats_more;  ///< the model's nats less the baseline's: ln of the perplexities' ratio
  TokenMean change;     ///< p - b, of the probability of the token itself
  TokenMean squared_change;
  ExactQuantiles kl_values, change_values;

 private:
  void close_document();

  std::optional<std::uint64_t> document_;  ///< the one in work
  std::uint64_t document_tokens_ = 0;
  std::uint64_t nonfinite_ = 0;
  double nats_ = 0;
  double nats_squares_ = 0;
  double baseline_squares_ = 0;
  double products_ = 0;
};

}  // namespace chainrule::pipeline::evaluate::tally

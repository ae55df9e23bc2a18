#include "pipeline/evaluate/tally/baseline_tallies.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "io/error.h"

namespace chainrule::pipeline::evaluate::tally {

void TokenMean::add(double value) {
  ++tokens_;
  sum_ += value;
  squares_ += value * value;
  of_document_ += value;
}

void TokenMean::close_document(std::uint64_t tokens) {
  by_document_.add(of_document_, static_cast<double>(tokens));
  of_document_ = 0;
}

std::optional<double> TokenMean::mean() const {
  return tokens_ == 0 ? std::nullopt : std::optional(sum_ / static_cast<double>(tokens_));
}

std::optional<double> TokenMean::independent_standard_error() const {
  if (tokens_ < 2) return std::nullopt;
  const auto tokens = static_cast<double>(tokens_);
  const double variance = squares_ / tokens - (sum_ / tokens) * (sum_ / tokens);
  return std::sqrt(std::max(0.0, variance) / (tokens - 1));
}

void BaselineTallies::add(const ScoredToken& token) {
  if (!token.baseline) {
    throw io::Error(io::ErrorKind::bad_data,
                    fmt::format("the result of stream token {} has nothing of the baseline", token.position));
  }
  if (document_ != token.document) close_document();
  document_ = token.document;
  const auto& [divergence, other, is_same_top] = *token.baseline;
  if (token.nll.count() == 0 || !std::isfinite(other) || !std::isfinite(divergence)) {
    ++nonfinite_;
    return;
  }
  ++document_tokens_;
  kl.add(divergence);
  same_top.add(is_same_top ? 1 : 0);
  baseline_nats.add(other);
  nats_more.add(token.nats - other);
  const double changed = std::exp(-token.nats) - std::exp(-other);
  change.add(changed);
  squared_change.add(changed * changed);
  kl_values.add(divergence);
  change_values.add(changed);
  nats_ += token.nats;
  nats_squares_ += token.nats * token.nats;
  baseline_squares_ += other * other;
  products_ += token.nats * other;
}

void BaselineTallies::close_document() {
  if (document_tokens_ == 0) return;
  for (TokenMean* mean : {&kl, &same_top, &baseline_nats, &nats_more, &change, &squared_change}) {
    mean->close_document(document_tokens_);
  }
  document_tokens_ = 0;
}

std::optional<double> BaselineTallies::correlation() const {
  if (tokens() == 0) return std::nullopt;
  const auto count = static_cast<double>(tokens());
  const double mean = nats_ / count;
  const double other = *baseline_nats.mean();
  const double variances = (nats_squares_ / count - mean * mean) * (baseline_squares_ / count - other * other);
  if (!(variances > 0)) return std::nullopt;
  return (products_ / count - mean * other) / std::sqrt(variances);
}

}  // namespace chainrule::pipeline::evaluate::tally

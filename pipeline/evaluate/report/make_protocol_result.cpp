#include "pipeline/evaluate/report/make_protocol_result.h"

#include <cmath>

namespace chainrule::pipeline::evaluate::report {
namespace {

namespace protocol = windows::protocol;

/// Nats of the text by some count of it.
std::optional<double> text_nats_per(const EvaluationSummary& overall, std::uint64_t count) {
  if (!overall.nll_nats || count == 0 || overall.tokens_scored == overall.end_of_text_tokens) return std::nullopt;
  return (*overall.nll_nats - *overall.end_of_text_nll_nats) / static_cast<double>(count);
}

ProtocolResult::Number number_of(const protocol::Number& number, const EvaluationSummary& overall,
                                 std::optional<double> nats) {
  ProtocolResult::Number made{std::string(number.name), std::string(number.normaliser), nats, {}, {}};
  if (nats && std::isfinite(std::exp(*nats))) made.perplexity = std::exp(*nats);
  if (number.has_error && made.perplexity && overall.independent_standard_error_nats) {
    made.perplexity_error = *made.perplexity * *overall.independent_standard_error_nats;
  }
  return made;
}

}  // namespace

tally::ProtocolTallies tallies_of_protocol(const protocol::ScoringOptions& options) {
  std::vector<tally::WindowAverage::Weight> weights;
  for (const protocol::Number& number : options.protocol->numbers) {
    if (number.divisor != protocol::Divisor::windows) continue;
    weights.emplace_back([options, weight = number.window_weight](std::uint64_t window, std::int64_t scored) {
      return weight(options, window, scored);
    });
  }
  return tally::ProtocolTallies(weights);
}

ProtocolResult make_protocol_result(const protocol::ScoringOptions& options, std::optional<std::uint32_t> prefix_token,
                                    const io::tokens::DocumentTable& documents, const EvaluationSummary& overall,
                                    const tally::ProtocolTallies& tallies) {
  ProtocolResult result;
  result.difference = options.protocol->difference;
  result.prefix_token = prefix_token;
  result.tokens = documents.token_end();
  for (protocol::Dropped& each : options.protocol->dropped(options, documents)) {
    if (each.tokens != 0) result.dropped.push_back({std::move(each.why), each.tokens});
  }
  result.context_minimum = tallies.contexts.minimum();
  result.context_median = tallies.contexts.median();
  result.context_maximum = tallies.contexts.maximum();
  result.context_mean = tallies.contexts.mean();
  auto average = tallies.averages.begin();
  for (const protocol::Number& number : options.protocol->numbers) {
    std::optional<double> nats = overall.cross_entropy_nats;
    if (number.divisor == protocol::Divisor::windows) nats = (average++)->nats();
    if (number.divisor == protocol::Divisor::words) nats = text_nats_per(overall, overall.words);
    if (number.divisor == protocol::Divisor::bytes) nats = text_nats_per(overall, overall.bytes);
    result.numbers.push_back(number_of(number, overall, nats));
  }
  return result;
}

}  // namespace chainrule::pipeline::evaluate::report

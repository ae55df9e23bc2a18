#include "pipeline/infer/next/next_token.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "model/decoder/decode_state.h"
#include "model/sampling/distribution.h"
#include "pipeline/failure/error.h"
#include "pipeline/infer/token_json.h"
#include "pipeline/show/legible.h"

namespace chainrule::pipeline::infer::next {
double NextToken::shown_probability() const {
  double sum = 0;
  for (const Candidate& candidate : likeliest) sum += candidate.probability;
  return sum;
}

void validate(const NextOptions& options) {
  if (options.top < 1)
    throw failure::Error(failure::ExitCode::usage, fmt::format("--top must be at least 1, not {}", options.top));
  if (!(options.temperature > 0) || !std::isfinite(options.temperature)) {
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("--temperature must be above 0, not {}", options.temperature));
  }
}

NextToken next_token(const models::TextModel& model, std::string_view context, const NextOptions& options,
                     model::ops::Ops& ops) {
  const model::shape::Config& config = model.model.config;
  std::vector<io::tokenizer::TokenId> tokens = models::context_of(model.tokenizer, context);
  NextToken next;
  const auto longest = static_cast<std::size_t>(config.sequence_length);
  if (tokens.size() > longest) {
    if (!options.slide) {
      throw failure::Error(
          failure::ExitCode::usage,
          fmt::format("the text has {} tokens with the end-of-text before it, more than the model's context of "
                      "{}; --slide reads the last {} alone",
                      tokens.size(), longest, longest));
    }
    next.dropped_tokens = static_cast<std::int64_t>(tokens.size() - longest);
    tokens.erase(tokens.begin(), tokens.begin() + next.dropped_tokens);
  }

  const auto rows = static_cast<std::int64_t>(tokens.size());
  // Of all rows the last alone is wanted: that is what reading a prompt gives.
  model::decoder::DecodeState state(config, {.slots = 1, .capacity = rows}, ops);
  const model::decoder::SlotPrompt prompt{0, tokens};
  state.prefill(model.model.weights(), {&prompt, 1});

  const std::vector<double> log_probabilities =
      model::sampling::log_probabilities(state.logits(0), options.temperature);
  next.context = context;
  next.context_tokens = rows;
  next.temperature = options.temperature;
  next.vocabulary_size = config.vocabulary_size;
  for (const double value : log_probabilities) next.probability_sum += std::exp(value);
  if (!std::isfinite(next.probability_sum)) {
    throw failure::Error(
        failure::ExitCode::bad_data,
        fmt::format("the model '{}' gives logits that are not finite behind this text", model.model.folder.string()));
  }
  next.entropy_nats = model::sampling::entropy_nats(log_probabilities);
  for (const std::uint32_t token : model::sampling::largest_of(log_probabilities, options.top)) {
    next.likeliest.push_back({token, std::string(models::token_bytes(model.tokenizer, token)),
                              std::exp(log_probabilities[token]), -log_probabilities[token]});
  }
  return next;
}

nlohmann::ordered_json to_json(const NextToken& next, const models::LoadedModel& model) {
  auto tokens = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < next.likeliest.size(); ++i) {
    const Candidate& candidate = next.likeliest[i];
    nlohmann::ordered_json line = {{"rank", i + 1}};
    line.update(token_json(candidate.token, candidate.bytes));
    line["probability"] = candidate.probability;
    line["nll_nats"] = candidate.nll_nats;
    tokens.push_back(std::move(line));
  }
  return {{"model", models::describe_model(model)},
          {"context", show::valid_utf8(next.context)},
          {"context_tokens", next.context_tokens},
          {"dropped_tokens", next.dropped_tokens},
          {"temperature", next.temperature},
          {"vocabulary_size", next.vocabulary_size},
          {"probability_sum", next.probability_sum},
          {"shown_probability", next.shown_probability()},
          {"rest_probability", next.rest_probability()},
          {"entropy_nats", next.entropy_nats},
          {"entropy_bits", next.entropy_nats / std::numbers::ln2},
          {"tokens", std::move(tokens)}};
}

}  // namespace chainrule::pipeline::infer::next

#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/ops/ops.h"
#include "model/sampling/distribution.h"
#include "pipeline/models/text_model.h"

namespace chainrule::pipeline::infer::score {

/// One factor p(token | text before it) of a text's probability.
struct TokenScore {
  io::tokenizer::TokenId token = 0;
  std::string bytes;
  model::sampling::Factor factor;
  std::string likeliest_bytes;             ///< of the token the model would have bet on
  double log_probability_so_far_nats = 0;  ///< of the text up to and with this token
};

/// A text under the chain rule of probability.
struct TextScore {
  std::vector<TokenScore> tokens;
  std::uint64_t text_bytes = 0;
  std::int64_t context_length = 0;  ///< the model's, in tokens
  std::int64_t windows = 1;         ///< more than 1 where the text was longer: see score_text
  std::int64_t nonfinite_tokens = 0;
  double log_likelihood_nats = 0;  ///< sum of log p; these four are NaN where a factor is not finite
  double cross_entropy_nats = 0;   ///< a token's mean
  double perplexity = 0;
  double bits_per_byte = 0;
};

/// Scores text in one causal pass conditioned on the start token. A text longer than the model's context is refused or,
/// with slide, read in windows that advance by half a context (protocol `document` with that stride): each token is
/// scored once, and behind the first window from at least half a context. Throws Error usage (too long) or bad_data
/// (nothing to score).
TextScore score_text(const models::TextModel& model, std::string_view text, bool slide, model::ops::Ops& ops);

}  // namespace chainrule::pipeline::infer::score

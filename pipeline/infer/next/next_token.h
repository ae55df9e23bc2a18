#pragma once
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "model/ops/ops.h"
#include "pipeline/models/text_model.h"

namespace chainrule::pipeline::infer::next {

/// One candidate to come next.
struct Candidate {
  io::tokenizer::TokenId token = 0;
  std::string bytes;
  double probability = 0;
  double nll_nats = 0;
};

/// What a model expects behind a context.
struct NextToken {
  std::string context;              ///< the text asked about
  std::int64_t context_tokens = 0;  ///< read by the model, the end-of-text before the text included
  std::int64_t dropped_tokens = 0;  ///< of the context's start, where it was slid
  double temperature = 1;
  std::vector<Candidate> likeliest;  ///< the likeliest first
  std::int64_t vocabulary_size = 0;
  double probability_sum = 0;  ///< over the whole vocabulary: 1 but for rounding
  double entropy_nats = 0;

  double shown_probability() const;
  double rest_probability() const { return probability_sum - shown_probability(); }
};

struct NextOptions {
  std::int64_t top = 20;   ///< candidates to list
  double temperature = 1;  ///< logits are divided by it
  bool slide = false;      ///< a context longer than the model's loses its start instead of being refused
};

/// Throws Error usage naming an option out of range.
void validate(const NextOptions& options);

/// The next-token distribution behind context, which is conditioned on end-of-text. options are valid. Throws Error
/// usage (context too long) or bad_data (the model's logits are not finite).
NextToken next_token(const models::TextModel& model, std::string_view context, const NextOptions& options,
                     model::ops::Ops& ops);

/// Bars for a terminal, a line for each candidate.
std::string render_bars(const NextToken& next);

/// The same as a picture that needs nothing but itself.
std::string render_svg(const NextToken& next);

/// The object that docs/probabilities.md describes.
nlohmann::ordered_json to_json(const NextToken& next, const models::LoadedModel& model);

}  // namespace chainrule::pipeline::infer::next

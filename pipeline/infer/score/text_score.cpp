#include "pipeline/infer/score/text_score.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "io/tokens/memory_stream.h"
#include "model/decoder/decoder.h"
#include "pipeline/failure/error.h"
#include "pipeline/windows/batch_buffer.h"
#include "pipeline/windows/protocol/protocol.h"

namespace chainrule::pipeline::infer::score {
namespace {

/// Turns rows of logits into factors; the rows' targets are those of a batch.
class FactorVisitor final : public model::decoder::LogitsVisitor {
 public:
  FactorVisitor(std::span<const io::tokenizer::TokenId> targets, std::int64_t vocabulary,
                std::span<model::sampling::Factor> factors)
      : targets_(targets), vocabulary_(static_cast<std::size_t>(vocabulary)), factors_(factors) {}

  void visit(std::int64_t first_row, std::int64_t rows, float* logits, std::int64_t stride) override {
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t row = 0; row < rows; ++row) {
      const auto at = static_cast<std::size_t>(first_row + row);
      if (targets_[at] == model::ops::kNotScored) continue;
      factors_[at] = model::sampling::factor_of({logits + row * stride, vocabulary_}, targets_[at]);
    }
  }

 private:
  std::span<const io::tokenizer::TokenId> targets_;
  std::size_t vocabulary_;
  std::span<model::sampling::Factor> factors_;
};

void add_totals(TextScore& score) {
  double sum = 0;
  for (TokenScore& token : score.tokens) {
    sum -= token.factor.nll_nats;
    token.log_probability_so_far_nats = sum;
    score.nonfinite_tokens += std::isfinite(token.factor.nll_nats) ? 0 : 1;
  }
  score.log_likelihood_nats = sum;
  score.cross_entropy_nats = -sum / static_cast<double>(score.tokens.size());
  score.perplexity = std::exp(score.cross_entropy_nats);
  score.bits_per_byte = -sum / (std::numbers::ln2 * static_cast<double>(score.text_bytes));
}

}  // namespace

TextScore score_text(const models::TextModel& model, std::string_view text, bool slide, model::ops::Ops& ops) {
  std::vector<io::tokenizer::TokenId> tokens;
  model.tokenizer.encode(text, tokens);
  const auto count = static_cast<std::int64_t>(tokens.size());
  if (count == 0) throw failure::Error(failure::ExitCode::bad_data, "the text is empty: there is nothing to score");
  const model::shape::Config& config = model.model.config;
  TextScore score;
  score.context_length = config.sequence_length;
  score.text_bytes = text.size();
  score.windows = 0;
  if (count > score.context_length && !slide) {
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("the text has {} tokens, more than the model's context of {}; --slide reads "
                                     "it in overlapping windows",
                                     count, score.context_length));
  }

  model::decoder::Decoder decoder(config, {.maximum_rows = std::min(count, score.context_length)}, ops);
  io::tokens::MemoryStream stream(
      {model.tokenizer.vocabulary_size(), model.tokenizer.end_of_text(), model.tokenizer.start_token()});
  stream.append(tokens);
  const std::int64_t stride = windows::protocol::kDocument.default_stride(score.context_length);
  const auto cursor =
      windows::protocol::make_cursor({.context_length = score.context_length, .stride = stride}, stream.documents());
  windows::BatchBuffer buffer;
  windows::Window window;
  std::vector<model::sampling::Factor> factors;
  while (cursor->next(window)) {
    buffer.begin(window.rows, stream.start_token());
    buffer.add(stream, window);
    const model::ops::Batch batch = buffer.batch();
    factors.assign(batch.targets.size(), {});
    FactorVisitor visitor(batch.targets, config.vocabulary_size, factors);
    decoder.visit_logits(model.model.weights(), batch, visitor);
    for (auto row = static_cast<std::size_t>(window.rows - window.scored); row < batch.targets.size(); ++row) {
      TokenScore& token = score.tokens.emplace_back();
      token.token = batch.targets[row];
      token.bytes = models::token_bytes(model.tokenizer, token.token);
      token.factor = factors[row];
      token.likeliest_bytes = models::token_bytes(model.tokenizer, token.factor.likeliest);
    }
    ++score.windows;
  }
  add_totals(score);
  return score;
}

}  // namespace chainrule::pipeline::infer::score

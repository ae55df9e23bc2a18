#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "model/decoder/decoder_internal.h"
#include "model/error.h"
#include "model/ops/cross_entropy.h"
#include "model/round_up.h"

namespace chainrule::model::decoder {
namespace {

/// Moves values[i] to values[rows[i]], from the last on, and leaves 0 elsewhere. rows ascend.
template <typename Value>
void spread(std::span<const std::int64_t> rows, std::span<Value> values) {
  std::fill(values.begin() + static_cast<std::ptrdiff_t>(rows.size()), values.end(), Value{});
  for (std::size_t i = rows.size(); i-- > 0;) {
    const Value value = std::exchange(values[i], Value{});
    values[static_cast<std::size_t>(rows[i])] = value;
  }
}

void check_further(const ops::Batch& batch, std::span<const FurtherTarget> further, std::int64_t vocabulary) {
  std::int64_t before = 0;
  for (const FurtherTarget& each : further) {
    if (each.row < before || each.row >= batch.rows() ||
        batch.targets[static_cast<std::size_t>(each.row)] == ops::kNotScored || each.target >= vocabulary) {
      throw Error(fmt::format("score: further target {} of row {} is none, or not in order", each.target, each.row));
    }
    before = each.row;
  }
}

}  // namespace

std::int64_t Decoder::State::gather_scored(const ops::Batch& batch) {
  constexpr std::int64_t kMultiple = 64;  // so that few shapes of products exist
  const std::int64_t width = network.config.width;
  scored_rows.clear();
  scored_targets.clear();
  for (std::int64_t row = 0; row < batch.rows(); ++row) {
    const std::uint32_t target = batch.targets[static_cast<std::size_t>(row)];
    if (target == ops::kNotScored) continue;
    const auto to = static_cast<std::int64_t>(scored_rows.size());
    if (to != row) std::copy_n(hidden + row * width, width, hidden + to * width);
    scored_rows.push_back(row);
    scored_targets.push_back(target);
  }
  const std::int64_t rows = std::min(batch.rows(), round_up(static_cast<std::int64_t>(scored_rows.size()), kMultiple));
  scored_targets.resize(static_cast<std::size_t>(rows), ops::kNotScored);
  return rows;
}

void Decoder::State::cross_entropy(std::int64_t first, std::int64_t rows, const float* of_logits,
                                   std::span<double> nll) {
  network.ops.run(ops::CrossEntropyForward{.rows = rows,
                                           .vocabulary = network.config.vocabulary_size,
                                           .logits = of_logits,
                                           .stride = network.logits_stride,
                                           .targets = scored_targets.data() + first,
                                           .nll = nll.data() + first});
}

void Decoder::State::predict(std::int64_t rows, const float* of_logits, const std::uint32_t* targets,
                             const ops::PredictionScores& scores) {
  network.ops.run(ops::ScorePredictions{.rows = rows,
                                        .vocabulary = network.config.vocabulary_size,
                                        .logits = of_logits,
                                        .stride = network.logits_stride,
                                        .targets = targets,
                                        .scores = scores});
}

void Decoder::State::spread_out(const ops::PredictionScores& scores) const {
  spread<double>(scored_rows, scores.nll);
  spread<float>(scored_rows, scores.entropy);
  spread<float>(scored_rows, scores.top_probability);
  spread<std::uint32_t>(scored_rows, scores.rank);
}

void Decoder::score(const weights::Weights& weights, const ops::Batch& batch, std::span<double> nll) {
  State& s = *state_;
  if (nll.size() != batch.inputs.size()) throw Error("score: one nll a row is needed");
  s.score(weights, batch, [&](std::int64_t first, std::int64_t rows, const float* logits) {
    s.cross_entropy(first, rows, logits, nll);
  });
  spread<double>(s.scored_rows, nll);
}

void Decoder::score(const weights::Weights& weights, const ops::Batch& batch, const ops::PredictionScores& scores) {
  score(weights, batch, scores, {}, {});
}

void Decoder::score(const weights::Weights& weights, const ops::Batch& batch, const ops::PredictionScores& scores,
                    std::span<const FurtherTarget> further, const ops::PredictionScores& further_scores) {
  State& s = *state_;
  if (!scores.have(batch.inputs.size())) throw Error("score: one score of each kind a row is needed");
  if (!further_scores.have(further.size())) throw Error("score: one score of each kind a further target is needed");
  check_further(batch, further, s.network.config.vocabulary_size);
  std::size_t at = 0;  // of further
  s.score(weights, batch, [&](std::int64_t first, std::int64_t rows, const float* logits) {
    s.predict(rows, logits, s.scored_targets.data() + first, scores.from(static_cast<std::size_t>(first)));
    const std::int64_t end = std::min(first + rows, static_cast<std::int64_t>(s.scored_rows.size()));
    for (std::int64_t i = first; i < end; ++i) {
      for (; at < further.size() && further[at].row == s.scored_rows[static_cast<std::size_t>(i)]; ++at) {
        s.predict(1, logits + (i - first) * s.network.logits_stride, &further[at].target, further_scores.from(at));
      }
    }
  });
  s.spread_out(scores);
}

void Decoder::score(const weights::Weights& weights, const ops::Batch& batch, const ops::PredictionScores& scores,
                    Decoder& baseline, const weights::Weights& baseline_weights,
                    const ops::BaselineScores& baseline_scores) {
  State& s = *state_;
  State& other = *baseline.state_;
  const ops::PredictionDivergences& divergences = baseline_scores.divergences;
  if (!scores.have(batch.inputs.size()) || !baseline_scores.have(batch.inputs.size())) {
    throw Error("score: one score of each kind a row is needed");
  }
  if (other.network.config.vocabulary_size != s.network.config.vocabulary_size) {
    throw Error(fmt::format("score: a baseline with a vocabulary of {} for a model with one of {}",
                            other.network.config.vocabulary_size, s.network.config.vocabulary_size));
  }
  other.check(baseline_weights, batch);
  other.forward(baseline_weights, batch, nullptr);
  other.gather_scored(batch);
  s.score(weights, batch, [&](std::int64_t first, std::int64_t rows, const float* logits) {
    const auto from = static_cast<std::size_t>(first);
    s.predict(rows, logits, s.scored_targets.data() + first, scores.from(from));
    other.network.head(baseline_weights, other.hidden + first * other.network.config.width, rows, other.logits.data());
    other.cross_entropy(first, rows, other.logits.data(), baseline_scores.nll);
    s.network.ops.run(
        ops::ComparePredictions{.rows = rows,
                                .vocabulary = s.network.config.vocabulary_size,
                                .logits = logits,
                                .baseline_logits = other.logits.data(),
                                .stride = s.network.logits_stride,
                                .targets = s.scored_targets.data() + first,
                                .divergences = {divergences.kl.subspan(from), divergences.same_top.subspan(from)}});
  });
  s.spread_out(scores);
  spread<double>(s.scored_rows, divergences.kl);
  spread<std::uint8_t>(s.scored_rows, divergences.same_top);
  spread<double>(s.scored_rows, baseline_scores.nll);
}

}  // namespace chainrule::model::decoder

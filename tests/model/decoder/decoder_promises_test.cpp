// What the decoder promises of scores whatever the parameters: probabilities, causality, batches, equal bits.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "model/error.h"
#include "tests/model/decoder/decoder_promises.h"
#include "tests/support/values.h"

namespace chainrule::tests {
namespace {

INSTANTIATE_TEST_SUITE_P(Ops, DecoderPromises,
                         testing::Combine(testing::Values(kReferenceOps, kFastOps), testing::Values(kGpt2, kLlama)),
                         CaseName());

TEST_P(DecoderPromises, ZeroLogitsGiveTheLogarithmOfTheVocabulary) {
  // Without gain and bias the final norm gives zero, and so does every logit.
  const model::shape::ParameterRange ending = model::shape::ParameterTable(config_).ending();
  std::fill(arena_.begin() + ending.begin, arena_.begin() + ending.end, 0.0F);
  for (const double nats : score({random_text(config_, 20, 1)})) EXPECT_NEAR(nats, std::log(91.0), 1e-6);
}

TEST_P(DecoderPromises, ALaterTokenChangesNoEarlierScore) {
  const oracle::Text text = random_text(config_, 70, 2);
  const std::vector<double> before = score({text});
  for (const std::size_t at : {std::size_t{1}, std::size_t{33}, std::size_t{69}}) {
    oracle::Text changed = text;
    changed.inputs[at] = (changed.inputs[at] + 1) % config_.vocabulary_size;
    const std::vector<double> after = score({changed});
    for (std::size_t t = 0; t < at; ++t) ASSERT_EQ(before[t], after[t]) << "position " << t << ", changed " << at;
    EXPECT_NE(before[at], after[at]);
  }
}

/// Copies the logits of the first rows.
class FirstLogits final : public model::decoder::LogitsVisitor {
 public:
  FirstLogits(std::int64_t vocabulary, std::int64_t rows) : vocabulary_(vocabulary), rows_(rows) {}
  void visit(std::int64_t first_row, std::int64_t rows, float* logits, std::int64_t stride) override {
    for (std::int64_t r = 0; r < rows && first_row + r < rows_; ++r) {
      values.insert(values.end(), logits + r * stride, logits + r * stride + vocabulary_);
    }
  }
  std::vector<float> values;

 private:
  std::int64_t vocabulary_;
  std::int64_t rows_;
};

TEST_P(DecoderPromises, ALaterTokenChangesNoBitOfEarlierLogits) {
  oracle::Text text = random_text(config_, 70, 3);
  model::decoder::Decoder decoder(config_, {.maximum_rows = 70}, *ops_);
  FirstLogits before(config_.vocabulary_size, 41);
  decoder.visit_logits(arena_, OwnedBatch({text}).view(), before);
  for (std::size_t t = 41; t < text.inputs.size(); ++t) text.inputs[t] = (text.inputs[t] + 7) % 91;
  FirstLogits after(config_.vocabulary_size, 41);
  decoder.visit_logits(arena_, OwnedBatch({text}).view(), after);
  EXPECT_EQ(before.values.size(), 41u * 91u);
  EXPECT_EQ(before.values, after.values);
}

TEST_P(DecoderPromises, OneCausalPassEqualsOnePrefixAtATime) {
  const oracle::Text text = random_text(config_, 67, 4);
  const std::vector<double> together = score({text});
  double log_likelihood = 0;
  for (std::size_t n = 1; n <= text.inputs.size(); ++n) {
    oracle::Text prefix{{text.inputs.begin(), text.inputs.begin() + static_cast<std::ptrdiff_t>(n)}, {}};
    prefix.targets.assign(n, oracle::kNoTarget);
    prefix.targets.back() = text.targets[n - 1];
    const double factor = score({prefix}).back();
    ASSERT_NEAR(factor, together[n - 1], 1e-5) << "factor " << n;
    log_likelihood -= factor;
  }
  EXPECT_NEAR(-std::accumulate(together.begin(), together.end(), 0.0), log_likelihood, 1e-4);
  EXPECT_NEAR(log_likelihood, -oracle::loss(config_, to_tensors(config_, arena_), {text}), 1e-4);
}

TEST_P(DecoderPromises, ADocumentScoresAloneAsItDoesBesideOthers) {
  std::vector<oracle::Text> texts;
  for (const std::int64_t length : {1, 70, 5, 64, 65, 2}) texts.push_back(random_text(config_, length, 20 + length));
  for (const std::int64_t padding_rows : {0, 3}) {
    const OwnedBatch batch(texts, padding_rows);
    const std::vector<double> together = score(batch, arena_);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const std::vector<double> alone = score({texts[i]});
      for (std::size_t t = 0; t < alone.size(); ++t) {
        ASSERT_NEAR(together[batch.sequences[i].first_row + t], alone[t], 1e-5) << "text " << i << " position " << t;
      }
    }
    for (std::size_t r = 0; r < together.size(); ++r) {
      if (batch.targets[r] == model::ops::kNotScored) {
        ASSERT_EQ(together[r], 0.0);
      }
    }
  }
}

TEST_P(DecoderPromises, ATextThatContinuesAnotherScoresAsTheWholeDoes) {
  const oracle::Text first = random_text(config_, 60, 31);
  oracle::Text second = random_text(config_, 70, 32);
  std::copy_n(first.inputs.begin(), 40, second.inputs.begin());
  OwnedBatch batch(
      {first,
       {{second.inputs.begin() + 40, second.inputs.end()}, {second.targets.begin() + 40, second.targets.end()}}});
  batch.sequences[1].position = 40;
  batch.sequences[1].parent = 0;
  const std::vector<double> together = score(batch, arena_);
  const std::vector<double> whole = score({second});
  for (std::size_t t = 40; t < 70; ++t) ASSERT_NEAR(together[20 + t], whole[t], 1e-5) << "position " << t;
}

TEST_P(DecoderPromises, WhatContinuesNothingIsRefused) {
  const OwnedBatch good({random_text(config_, 30, 33), random_text(config_, 20, 34)});
  for (const auto& [position, parent] :
       {std::pair{5, -1}, {5, 1}, {5, 2}, {5, -2}, {31, 0}, {0, 0}, {-1, 0}, {60, 0}}) {
    OwnedBatch bad = good;
    bad.sequences[1].position = position;
    bad.sequences[1].parent = parent;
    EXPECT_THROW(score(bad, arena_), model::Error) << position << " of " << parent;
  }
  OwnedBatch continued = good;
  continued.sequences[1].position = 30;
  continued.sequences[1].parent = 0;
  EXPECT_NO_THROW(score(continued, arena_));
  std::vector<float> gradients(arena_.size());
  EXPECT_THROW(train(continued, gradients), model::Error) << "nothing sends gradients to a parent";
}

TEST_P(DecoderPromises, WhatIsNotScoredAddsNothing) {
  oracle::Text text = random_text(config_, 30, 5);
  for (std::size_t t = 10; t < 30; ++t) text.targets[t] = oracle::kNoTarget;
  oracle::Text shorter{{text.inputs.begin(), text.inputs.begin() + 10},
                       {text.targets.begin(), text.targets.begin() + 10}};
  std::vector<float> gradients(arena_.size(), 0.0F);
  std::vector<float> expected(arena_.size(), 0.0F);
  train(OwnedBatch({text}, 4), gradients);
  train(OwnedBatch({shorter}), expected);
  EXPECT_LT(relative_l2(gradients, to_double(expected)), 1e-5);
  // Nothing scored at all: not a bit of gradient.
  text.targets.assign(30, oracle::kNoTarget);
  std::vector<float> nothing(arena_.size(), 0.0F);
  train(OwnedBatch({text}, 4), nothing);
  EXPECT_EQ(nothing, std::vector<float>(arena_.size(), 0.0F));
}

TEST_P(DecoderPromises, ABatchSmallerThanTheLargestFitsAndScoresAlike) {
  // Blocks of logits are cut by the batch's rows: 513 rows make two blocks, 512 a single larger one.
  config_ = sized(1, 1, 4096, 513);
  arena_ = random_arena(config_, 16);
  const OwnedBatch batch({random_text(config_, 512, 17)});
  model::decoder::Decoder exact(config_, {.maximum_rows = 512}, *ops_);
  model::decoder::Decoder larger(config_, {.maximum_rows = 513}, *ops_);
  EXPECT_GT(larger.workspace_bytes(), exact.workspace_bytes());
  std::vector<double> expected(512);
  std::vector<double> actual(512);
  exact.score(arena_, batch.view(), expected);
  larger.score(arena_, batch.view(), actual);
  EXPECT_EQ(actual, expected);
}

TEST_P(DecoderPromises, RowsThatAreNotScoredChangeNoOthers) {
  config_ = sized(2, 2, 300, 700);
  arena_ = random_arena(config_, 21);
  const OwnedBatch all({random_text(config_, 70, 22), random_text(config_, 650, 23)}, 3);
  const std::vector<double> expected = score(all, arena_);
  OwnedBatch some = all;
  for (std::size_t row = 0; row < some.targets.size(); ++row) {
    if (row < 20 || (row > 100 && row < 600) || row % 3 == 0) some.targets[row] = model::ops::kNotScored;
  }
  const std::vector<double> actual = score(some, arena_);
  for (std::size_t row = 0; row < actual.size(); ++row) {
    if (some.targets[row] == model::ops::kNotScored) {
      ASSERT_EQ(actual[row], 0.0) << "row " << row;
    } else {
      ASSERT_NEAR(actual[row], expected[row], 2e-5) << "row " << row;
    }
  }
  OwnedBatch none = all;
  std::fill(none.targets.begin(), none.targets.end(), model::ops::kNotScored);
  EXPECT_EQ(score(none, arena_), std::vector<double>(none.targets.size(), 0.0));
}

TEST_P(DecoderPromises, ScoresOfOneRowBelongTogetherInEveryBlockOfLogits) {
  config_ = sized(1, 1, 97, 640);
  arena_ = random_arena(config_, 21);
  OwnedBatch batch({random_text(config_, 640, 22)});
  for (std::size_t row = 0; row < batch.targets.size(); row += 7) batch.targets[row] = model::ops::kNotScored;
  model::decoder::Decoder decoder(config_, {.maximum_rows = 640}, *ops_);
  model::ops::OwnedPredictionScores scores(640);
  decoder.score(arena_, batch.view(), scores.view());
  EXPECT_EQ(scores.nll, score(batch, arena_));
  for (std::size_t row = 0; row < batch.targets.size(); ++row) {
    const double p = batch.targets[row] == model::ops::kNotScored ? 0 : std::exp(-scores.nll[row]);
    const double top = scores.top_probability[row];
    // The likeliest token's p is the largest; k tokens at least as likely leave no more than 1 / (k + 1).
    if (scores.rank[row] == 0) {
      ASSERT_NEAR(p, top, 1e-5) << "row " << row;
    } else {
      ASSERT_LE(p * (scores.rank[row] + 1), 1 + 1e-5) << "row " << row;
      ASSERT_LE(p, top + 1e-5) << "row " << row;
    }
    ASSERT_GE(scores.entropy[row], p == 0 ? 0 : -std::log(top) - 1e-5) << "row " << row;
  }
}

/// Logits of every row of a batch.
std::vector<float> all_logits(model::decoder::Decoder& decoder, std::span<const float> arena, const OwnedBatch& batch) {
  FirstLogits logits(decoder.config().vocabulary_size, batch.view().rows());
  decoder.visit_logits(arena, batch.view(), logits);
  return logits.values;
}

TEST_P(DecoderPromises, ABaselineSaysOfEachRowWhatItSaysAlone) {
  config_ = sized(1, 1, 97, 640);
  arena_ = random_arena(config_, 21);
  const model::shape::Config other_config = sized(2, 2, 97, 700);
  const std::vector<float> other_arena = random_arena(other_config, 23);
  OwnedBatch batch({random_text(config_, 640, 22)});
  const OwnedBatch every = batch;
  for (std::size_t row = 0; row < batch.targets.size(); row += 7) batch.targets[row] = model::ops::kNotScored;
  model::decoder::Decoder decoder(config_, {.maximum_rows = 640}, *ops_);
  model::decoder::Decoder other(other_config, {.maximum_rows = 650}, *ops_);
  model::ops::OwnedPredictionScores alone(640);
  model::ops::OwnedPredictionScores scores(640);
  model::ops::OwnedBaselineScores beside;
  beside.resize(640);
  decoder.score(arena_, batch.view(), alone.view());
  decoder.score(arena_, batch.view(), scores.view(), other, other_arena, beside.view());
  EXPECT_EQ(scores.nll, alone.nll);
  EXPECT_EQ(scores.entropy, alone.entropy);
  EXPECT_EQ(scores.rank, alone.rank);
  std::vector<double> other_alone(640);
  other.score(other_arena, batch.view(), other_alone);
  EXPECT_EQ(beside.nll, other_alone);
  const std::vector<float> logits = all_logits(decoder, arena_, every);
  const std::vector<float> other_logits = all_logits(other, other_arena, every);
  for (std::size_t row = 0; row < 640; ++row) {
    if (batch.targets[row] == model::ops::kNotScored) {
      ASSERT_EQ(beside.kl[row], 0) << "row " << row;
      continue;
    }
    const auto probabilities = [row](const std::vector<float>& of) {
      std::vector<double> p(of.begin() + static_cast<std::ptrdiff_t>(row * 97),
                            of.begin() + static_cast<std::ptrdiff_t>(row * 97 + 97));
      for (double& each : p) each = std::exp(each);
      const double sum = std::accumulate(p.begin(), p.end(), 0.0);
      for (double& each : p) each /= sum;
      return p;
    };
    const std::vector<double> p = probabilities(logits);
    const std::vector<double> b = probabilities(other_logits);
    double kl = 0;
    for (std::size_t v = 0; v < p.size(); ++v) kl += b[v] * std::log(b[v] / p[v]);
    // Other rows beside it may round a row's logits otherwise.
    ASSERT_NEAR(beside.kl[row], kl, 1e-4 * (kl + 1e-2)) << "row " << row;
  }
  decoder.score(arena_, batch.view(), scores.view(),
                *std::make_unique<model::decoder::Decoder>(config_, model::decoder::DecoderOptions{640}, *ops_), arena_,
                beside.view());
  EXPECT_EQ(beside.kl, std::vector<double>(640, 0.0));
  EXPECT_EQ(beside.nll, alone.nll);
  const model::shape::Config wide = sized(1, 1, 98, 640);
  model::decoder::Decoder wider(wide, {.maximum_rows = 640}, *ops_);
  EXPECT_THROW(decoder.score(arena_, batch.view(), scores.view(), wider, random_arena(wide, 1), beside.view()),
               model::Error);
  beside.kl.resize(639);
  EXPECT_THROW(decoder.score(arena_, batch.view(), scores.view(), other, other_arena, beside.view()), model::Error);
}

TEST_P(DecoderPromises, WhatDoesNotFitIsRefused) {
  model::decoder::Decoder decoder(config_, {.maximum_rows = 80}, *ops_);
  std::vector<double> nll(80);
  const auto score_of = [&](const OwnedBatch& batch) {
    decoder.score(arena_, batch.view(), std::span(nll).first(batch.inputs.size()));
  };
  OwnedBatch batch({random_text(config_, 10, 18)});
  EXPECT_NO_THROW(score_of(batch));
  OwnedBatch bad_input = batch;
  bad_input.inputs[3] = 91;
  EXPECT_THROW(score_of(bad_input), model::Error);
  OwnedBatch bad_target = batch;
  bad_target.targets[3] = 91;
  EXPECT_THROW(score_of(bad_target), model::Error);
  EXPECT_THROW(score_of(OwnedBatch({random_text(config_, 71, 19)})), model::Error);  // longer than the context
  EXPECT_THROW(score_of(OwnedBatch({random_text(config_, 70, 19), random_text(config_, 11, 20)})), model::Error);
  OwnedBatch overlapping = batch;
  overlapping.sequences = {{0, 6}, {5, 5}};
  EXPECT_THROW(score_of(overlapping), model::Error);
  OwnedBatch outside = batch;
  outside.sequences = {{4, 7}};
  EXPECT_THROW(score_of(outside), model::Error);
  EXPECT_THROW(decoder.score(arena_, batch.view(), std::span(nll).first(9)), model::Error);
  model::ops::OwnedPredictionScores scores(10);
  EXPECT_NO_THROW(decoder.score(arena_, batch.view(), scores.view()));
  scores.rank.resize(9);
  EXPECT_THROW(decoder.score(arena_, batch.view(), scores.view()), model::Error);
  EXPECT_THROW(decoder.score(std::span(arena_).first(arena_.size() - 1), batch.view(), std::span(nll).first(10)),
               model::Error);
  std::vector<float> gradients(arena_.size());
  EXPECT_THROW(
      decoder.train(arena_, batch.view(), gradients, model::decoder::Accumulate::yes, std::span(nll).first(10)),
      model::Error);
}

}  // namespace
}  // namespace chainrule::tests

// What the decoder promises whatever the parameters: probabilities, causality, batches, accumulation, equal bits.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "model/decoder/decoder.h"
#include "model/error.h"
#include "tests/model/decoder/decoder_case.h"
#include "tests/model/ops/ops_under_test.h"
#include "tests/support/values.h"

namespace chainrule::tests {
namespace {

class DecoderPromises : public testing::TestWithParam<OpsUnderTest> {
 protected:
  std::vector<double> score(const std::vector<oracle::Text>& texts, std::int64_t padding_rows = 0) {
    return score(OwnedBatch(texts, padding_rows), arena_);
  }
  std::vector<double> score(const OwnedBatch& batch, std::span<const float> arena) {
    model::decoder::Decoder decoder(config_, {.maximum_rows = batch.view().rows()}, *ops_);
    std::vector<double> nll(batch.inputs.size(), -1.0);
    decoder.score(arena, batch.view(), nll);
    return nll;
  }
  std::unique_ptr<model::decoder::Decoder> training_decoder(std::int64_t rows, bool recompute = false) {
    return std::make_unique<model::decoder::Decoder>(
        config_,
        model::decoder::DecoderOptions{
            .maximum_rows = rows, .purpose = model::decoder::Purpose::train, .recompute = recompute},
        *ops_);
  }
  /// Gradients of texts, added to `gradients` [arena].
  void train(const OwnedBatch& batch, std::vector<float>& gradients) {
    std::vector<double> nll(batch.inputs.size());
    training_decoder(batch.view().rows())->train(arena_, batch.view(), gradients, model::decoder::Accumulate::yes, nll);
  }

  model::shape::Config config_ = small_config(3, 2, 91, 70);
  std::unique_ptr<model::ops::Ops> ops_ = GetParam().make();
  std::vector<float> arena_ = random_arena(config_, 11);
};

INSTANTIATE_TEST_SUITE_P(Ops, DecoderPromises, testing::Values(kReferenceOps, kFastOps),
                         [](const auto& test) { return test.param.name; });

TEST_P(DecoderPromises, ZeroLogitsGiveTheLogarithmOfTheVocabulary) {
  // Without gain and bias the final norm gives zero, and so does every logit.
  const model::shape::ParameterTable table(config_);
  for (const char* name : {"final_norm.weight", "final_norm.bias"}) {
    const model::shape::Parameter& parameter = table.find(name);
    std::fill_n(arena_.begin() + parameter.offset, parameter.size(), 0.0F);
  }
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

TEST_P(DecoderPromises, TwoMicroBatchesAddUpToOneBatch) {
  const oracle::Text a = random_text(config_, 70, 6);
  const oracle::Text b = random_text(config_, 70, 7);
  std::vector<float> at_once(arena_.size(), 0.0F);
  std::vector<float> accumulated(arena_.size(), 0.0F);
  std::vector<float> first_only(arena_.size(), 0.0F);
  train(OwnedBatch({a, b}), at_once);
  train(OwnedBatch({a}), first_only);
  train(OwnedBatch({a}), accumulated);
  train(OwnedBatch({b}), accumulated);
  EXPECT_LT(relative_l2(accumulated, to_double(at_once)), 1e-5);
  EXPECT_GT(relative_l2(first_only, to_double(at_once)), 0.1);
}

TEST_P(DecoderPromises, AFirstMicroBatchReplacesWhatWasInItsGradients) {
  config_.sequence_length = 600;  // two blocks of logits, both of which add to the tied embedding
  arena_ = random_arena(config_, 12);
  const OwnedBatch batch({random_text(config_, 600, 8)});
  std::vector<float> from_zero(arena_.size(), 0.0F);
  train(batch, from_zero);
  std::vector<float> replaced(arena_.size(), 3.0F);
  std::vector<double> nll(batch.inputs.size());
  training_decoder(600)->train(arena_, batch.view(), replaced, model::decoder::Accumulate::no, nll);
  const model::shape::ParameterTable table(config_);
  for (const model::shape::Parameter& each : table.parameters()) {
    for (auto at = each.range().begin; at < each.range().end; ++at) {
      const auto index = static_cast<std::size_t>(at);
      ASSERT_EQ(replaced[index], from_zero[index]) << each.name << ", element " << at - each.offset;
    }
  }
}

/// Copies each range of the gradients when it is announced.
class KeepReady final : public model::decoder::GradientSink {
 public:
  explicit KeepReady(std::span<const float> watched) : gradients(watched) {}
  void ready(model::shape::ParameterRange range) override {
    ranges.push_back(range);
    copies.insert(copies.end(), gradients.begin() + range.begin, gradients.begin() + range.end);
    EXPECT_FALSE(before_layers.empty());
  }
  void ready_but_late_rows(model::shape::ParameterRange /*parameter*/) override {
    before_layers.assign(gradients.begin(), gradients.end());
  }
  void await_late_rows(model::shape::ParameterRange /*parameter*/) override {
    after_layers.assign(gradients.begin(), gradients.end());
  }
  std::span<const float> gradients;
  std::vector<float> before_layers;
  std::vector<float> after_layers;
  std::vector<model::shape::ParameterRange> ranges;
  std::vector<float> copies;
};

TEST_P(DecoderPromises, AnnouncedGradientsAreFinalInArenaOrderAndCoverIt) {
  for (const bool recompute : {false, true}) {
    const OwnedBatch batch({random_text(config_, 40, 8), random_text(config_, 3, 9)});
    const auto decoder = training_decoder(batch.view().rows(), recompute);
    std::vector<float> gradients = normal_values(10, static_cast<std::int64_t>(arena_.size()), 1.0);
    std::vector<double> nll(batch.inputs.size());
    KeepReady sink(gradients);
    decoder->train(arena_, batch.view(), gradients, model::decoder::Accumulate::yes, nll, nullptr, &sink);
    std::int64_t covered = 0;
    for (const model::shape::ParameterRange& range : sink.ranges) {
      ASSERT_EQ(range.begin, covered);
      ASSERT_GT(range.end, range.begin);
      covered = range.end;
    }
    EXPECT_EQ(covered, decoder->table().arena_size());
    EXPECT_EQ(sink.copies, gradients);
    const model::shape::Parameter& embedding = decoder->table().find("token_embedding.weight");
    const std::int64_t width = config_.width;
    std::vector<bool> is_input(static_cast<std::size_t>(config_.vocabulary_size));
    for (const std::uint32_t token : batch.inputs) is_input[token] = true;
    for (std::int64_t at = embedding.offset; at < embedding.range().end; ++at) {
      const auto index = static_cast<std::size_t>(at);
      ASSERT_EQ(sink.after_layers[index], sink.before_layers[index]) << "written to before it was claimed";
      if (is_input[static_cast<std::size_t>((at - embedding.offset) / width)]) continue;
      ASSERT_EQ(gradients[index], sink.before_layers[index]) << "a row of no input";
    }
    // Overlap needs the layers announced one by one.
    EXPECT_GE(static_cast<std::int64_t>(sink.ranges.size()), config_.layers + 1);
  }
}

/// Gives out parameters when they are asked for, and takes the rows of the inputs away again as soon as it may.
class LateParameters final : public model::decoder::ParameterGate {
 public:
  LateParameters(const model::shape::ParameterTable& table, std::span<const float> parameters)
      : embedding_(table.find("token_embedding.weight")),
        from_(parameters),
        arena(parameters.size(), std::numeric_limits<float>::quiet_NaN()) {}
  void need(model::shape::ParameterRange range) override {
    std::fill(arena.begin() + embedding_.offset, arena.end(), std::numeric_limits<float>::quiet_NaN());
    give(range);
  }
  void need_rows(model::shape::ParameterRange parameter, std::span<const std::uint32_t> tokens) override {
    EXPECT_EQ(parameter.begin, embedding_.offset);
    const std::int64_t width = embedding_.shape[1];
    for (const std::uint32_t token : tokens) {
      give({embedding_.offset + token * width, embedding_.offset + (token + 1) * width});
    }
  }

 private:
  void give(model::shape::ParameterRange range) {
    std::copy(from_.begin() + range.begin, from_.begin() + range.end, arena.begin() + range.begin);
  }
  model::shape::Parameter embedding_;
  std::span<const float> from_;

 public:
  std::vector<float> arena;
};

TEST_P(DecoderPromises, ForwardReadsParametersOnlyOnceItAskedForThem) {
  const OwnedBatch batch({random_text(config_, 40, 8), random_text(config_, 3, 9)});
  const auto decoder = training_decoder(batch.view().rows());
  std::vector<float> expected(arena_.size());
  std::vector<float> actual(arena_.size());
  std::vector<double> expected_nll(batch.inputs.size());
  std::vector<double> actual_nll(batch.inputs.size());
  decoder->train(arena_, batch.view(), expected, model::decoder::Accumulate::no, expected_nll);
  LateParameters gate(decoder->table(), arena_);
  decoder->train(gate.arena, batch.view(), actual, model::decoder::Accumulate::no, actual_nll, &gate);
  EXPECT_EQ(actual_nll, expected_nll);
  EXPECT_EQ(actual, expected);
}

TEST_P(DecoderPromises, ABatchSmallerThanTheLargestFitsAndScoresAlike) {
  // Blocks of logits are cut by the batch's rows: 513 rows make two blocks, 512 a single larger one.
  config_ = small_config(1, 1, 4096, 513);
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
  config_ = small_config(2, 2, 300, 700);
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
  EXPECT_THROW(decoder.score(std::span(arena_).first(arena_.size() - 1), batch.view(), std::span(nll).first(10)),
               model::Error);
  std::vector<float> gradients(arena_.size());
  EXPECT_THROW(
      decoder.train(arena_, batch.view(), gradients, model::decoder::Accumulate::yes, std::span(nll).first(10)),
      model::Error);
}

}  // namespace
}  // namespace chainrule::tests

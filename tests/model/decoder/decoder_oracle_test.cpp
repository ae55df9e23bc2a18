// The production decoder in float32 against the oracle in float64, with both implementations of the operations.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "model/decoder/decoder.h"
#include "model/optimizer/adamw.h"
#include "model/optimizer/schedule.h"
#include "tests/model/decoder/decoder_case.h"
#include "tests/model/ops/ops_under_test.h"
#include "tests/support/oracle_optimizer.h"
#include "tests/support/values.h"

namespace chainrule::tests {
namespace {

constexpr double kLogitsTolerance = 1e-5;    // relative L2
constexpr double kGradientTolerance = 1e-4;  // relative L2 of each tensor

/// Keeps every logit.
class KeepLogits final : public model::decoder::LogitsVisitor {
 public:
  explicit KeepLogits(std::int64_t vocabulary) : vocabulary_(vocabulary) {}
  void visit(std::int64_t first_row, std::int64_t rows, float* logits, std::int64_t stride) override {
    EXPECT_EQ(first_row * vocabulary_, static_cast<std::int64_t>(kept_.size()));
    for (std::int64_t r = 0; r < rows; ++r)
      kept_.insert(kept_.end(), logits + r * stride, logits + r * stride + vocabulary_);
  }
  std::span<const float> rows(const model::ops::Sequence& sequence) const {
    return std::span(kept_).subspan(sequence.first_row * vocabulary_, sequence.rows * vocabulary_);
  }

 private:
  std::int64_t vocabulary_;
  std::vector<float> kept_;
};

struct Case {
  std::string name;
  model::shape::Config config;
  std::vector<std::int64_t> lengths;
  std::int64_t padding_rows = 0;
  double deviation = 0.2;
};

void PrintTo(const Case& tested, std::ostream* stream) { *stream << tested.name; }

class DecoderOracle : public testing::TestWithParam<std::tuple<OpsUnderTest, Case>> {
 protected:
  void SetUp() override {
    std::uint64_t seed = 50;
    for (const std::int64_t length : tested().lengths) texts_.push_back(random_text(config(), length, seed++));
    texts_.back().targets[0] = oracle::kNoTarget;
  }
  const Case& tested() const { return std::get<1>(GetParam()); }
  const model::shape::Config& config() const { return tested().config; }

  std::unique_ptr<model::ops::Ops> ops_ = std::get<0>(GetParam()).make();
  std::vector<oracle::Text> texts_;
  std::vector<float> arena_ = random_arena(config(), 7, tested().deviation);
  oracle::Tensors tensors_ = to_tensors(config(), arena_);
};

std::vector<Case> cases_of_relatives() {
  std::vector<Case> cases;
  for (const auto& [name, config] : relatives()) cases.push_back({name, config, {1, 30, 7, 2}, 2});
  cases.push_back({"llama_of_several_query_blocks", small_llama(2, 3, 65, 200), {120, 180}});
  cases.back().config.attention_window = 90;
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Relatives, DecoderOracle,
                         testing::Combine(testing::Values(kReferenceOps, kFastOps, kOneDnnOps),
                                          testing::ValuesIn(cases_of_relatives())),
                         CaseName());

INSTANTIATE_TEST_SUITE_P(
    Cases, DecoderOracle,
    testing::Combine(testing::Values(kReferenceOps, kFastOps, kOneDnnOps),
                     testing::Values(Case{"tiny", small_config(1, 1, 11, 6), {6}},
                                     Case{"ragged", small_config(2, 3, 37, 20), {1, 20, 7, 2}, 2},
                                     Case{"deep", small_config(6, 2, 53, 12), {12, 12}, 0, 0.1},
                                     Case{"several_query_blocks", small_config(2, 2, 65, 80), {80, 70}})),
    CaseName());

TEST_P(DecoderOracle, LogitsAndLossAgree) {
  const OwnedBatch batch(texts_, tested().padding_rows);
  model::decoder::Decoder decoder(config(), {.maximum_rows = batch.view().rows()}, *ops_);
  KeepLogits logits(config().vocabulary_size);
  decoder.visit_logits(arena_, batch.view(), logits);
  std::vector<double> nll(batch.inputs.size(), -1.0);
  decoder.score(arena_, batch.view(), nll);
  std::vector<double> expected_nll(batch.inputs.size(), 0.0);
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    EXPECT_LT(relative_l2(logits.rows(batch.sequences[i]), oracle::logits(config(), tensors_, texts_[i])),
              kLogitsTolerance)
        << "text " << i;
    const std::vector<double> of_text = oracle::nll(config(), tensors_, texts_[i]);
    std::copy(of_text.begin(), of_text.end(), expected_nll.begin() + batch.sequences[i].first_row);
  }
  for (std::size_t r = 0; r < nll.size(); ++r) ASSERT_NEAR(nll[r], expected_nll[r], 1e-5) << "row " << r;
}

/// p and the target's rank among float64 logits, where those nearer than `margin` may be in either order.
void expect_scores_of(std::span<const double> logits, std::uint32_t target, float entropy, float top_probability,
                      std::uint32_t rank) {
  constexpr double kMargin = 1e-4;
  const double largest = *std::ranges::max_element(logits);
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit - largest);
  double expected_entropy = 0;
  std::uint32_t surely_likelier = 0;
  std::uint32_t perhaps_likelier = 0;
  for (std::size_t v = 0; v < logits.size(); ++v) {
    const double log_p = logits[v] - largest - std::log(sum);
    expected_entropy -= std::exp(log_p) * log_p;
    if (v == target) continue;
    surely_likelier += logits[v] > logits[target] + kMargin ? 1 : 0;
    perhaps_likelier += logits[v] > logits[target] - kMargin ? 1 : 0;
  }
  EXPECT_NEAR(entropy, expected_entropy, 1e-5);
  EXPECT_NEAR(top_probability, 1 / sum, 1e-5);
  EXPECT_GE(rank, surely_likelier);
  EXPECT_LE(rank, perhaps_likelier);
}

TEST_P(DecoderOracle, PredictionScoresAgree) {
  const OwnedBatch batch(texts_, tested().padding_rows);
  model::decoder::Decoder decoder(config(), {.maximum_rows = batch.view().rows()}, *ops_);
  model::ops::OwnedPredictionScores scores(batch.inputs.size());
  decoder.score(arena_, batch.view(), scores.view());
  std::vector<double> nll(batch.inputs.size());
  decoder.score(arena_, batch.view(), nll);
  EXPECT_EQ(scores.nll, nll);
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    const std::vector<double> logits = oracle::logits(config(), tensors_, texts_[i]);
    const auto vocabulary = static_cast<std::size_t>(config().vocabulary_size);
    for (std::size_t t = 0; t < texts_[i].inputs.size(); ++t) {
      const std::size_t row = static_cast<std::size_t>(batch.sequences[i].first_row) + t;
      if (batch.targets[row] == model::ops::kNotScored) continue;
      SCOPED_TRACE(row);
      expect_scores_of(std::span(logits).subspan(t * vocabulary, vocabulary), batch.targets[row], scores.entropy[row],
                       scores.top_probability[row], scores.rank[row]);
    }
  }
  for (std::size_t row = 0; row < batch.inputs.size(); ++row) {
    if (batch.targets[row] != model::ops::kNotScored) continue;
    EXPECT_EQ(scores.nll[row], 0);
    EXPECT_EQ(scores.entropy[row], 0);
    EXPECT_EQ(scores.top_probability[row], 0);
    EXPECT_EQ(scores.rank[row], 0U);
  }
}

TEST_P(DecoderOracle, EveryGradientAgreesAndHasTheSameBitsWhateverIsComputedAgain) {
  const OwnedBatch batch(texts_, tested().padding_rows);
  const oracle::Tensors expected = oracle::gradients(config(), tensors_, texts_);
  oracle::Tensors kept;
  for (const model::decoder::Recompute recompute : model::decoder::kRecomputes) {
    model::decoder::Decoder decoder(
        config(),
        {.maximum_rows = batch.view().rows(), .purpose = model::decoder::Purpose::train, .recompute = recompute},
        *ops_);
    std::vector<float> gradients(decoder.table().arena_size(), std::nanf(""));  // what was there is replaced
    std::vector<double> nll(batch.inputs.size());
    decoder.train(arena_, batch.view(), gradients, model::decoder::Accumulate::no, nll);
    const oracle::Tensors actual = to_tensors(config(), gradients);
    ASSERT_EQ(actual.size(), expected.size());
    for (const auto& [name, tensor] : expected) {
      ASSERT_EQ(actual.at(name).shape, tensor.shape) << name;
      EXPECT_LT(relative_l2(actual.at(name).values, tensor.values), kGradientTolerance) << name;
      if (recompute == model::decoder::Recompute::none) continue;
      EXPECT_EQ(actual.at(name).values, kept.at(name).values) << name << ", recompute " << name_of(recompute);
    }
    if (recompute == model::decoder::Recompute::none) kept = actual;
    EXPECT_NEAR(std::accumulate(nll.begin(), nll.end(), 0.0), oracle::loss(config(), tensors_, texts_), 1e-4);
  }
}

TEST_P(DecoderOracle, EveryGradientWithAZLossAgrees) {
  constexpr double kWeight = 0.05;
  const OwnedBatch batch(texts_, tested().padding_rows);
  const oracle::Tensors expected = oracle::gradients(config(), tensors_, texts_, kWeight);
  model::decoder::Decoder decoder(
      config(), {.maximum_rows = batch.view().rows(), .purpose = model::decoder::Purpose::train, .z_loss = kWeight},
      *ops_);
  std::vector<float> gradients(decoder.table().arena_size());
  std::vector<double> nll(batch.inputs.size());
  decoder.train(arena_, batch.view(), gradients, model::decoder::Accumulate::no, nll);
  const oracle::Tensors without = oracle::gradients(config(), tensors_, texts_);
  const oracle::Tensors actual = to_tensors(config(), gradients);
  for (const auto& [name, tensor] : expected) {
    EXPECT_LT(relative_l2(actual.at(name).values, tensor.values), kGradientTolerance) << name;
    EXPECT_GT(relative_l2(without.at(name).values, tensor.values), 100 * kGradientTolerance) << name;
  }
  EXPECT_NEAR(std::accumulate(nll.begin(), nll.end(), 0.0), oracle::loss(config(), tensors_, texts_), 1e-4)
      << "the loss is cross-entropy alone";
}

TEST_P(DecoderOracle, TenStepsOfTrainingAgree) {
  // The bias of the keys has no gradient (it shifts all scores of a query alike), and AdamW divides rounding noise by
  // its own size: an epsilon well above that noise keeps it small.
  const oracle::OptimizerSettings settings{.peak_learning_rate = 3e-3,
                                           .minimum_learning_rate = 3e-4,
                                           .warmup_steps = 3,
                                           .steps = 10,
                                           .beta1 = 0.9,
                                           .beta2 = 0.95,
                                           .epsilon = 1e-5,
                                           .weight_decay = 0.1,
                                           .clip_norm = 0.2};
  const model::optimizer::ScheduleOptions schedule{.learning_rate = settings.peak_learning_rate,
                                                   .minimum_learning_rate = settings.minimum_learning_rate,
                                                   .warmup_steps = settings.warmup_steps,
                                                   .steps = settings.steps};
  const OwnedBatch batch(texts_, tested().padding_rows);
  std::int64_t tokens = 0;
  for (const std::uint32_t target : batch.targets) tokens += target != model::ops::kNotScored ? 1 : 0;
  model::decoder::Decoder decoder(
      config(), {.maximum_rows = batch.view().rows(), .purpose = model::decoder::Purpose::train}, *ops_);
  const std::vector<model::shape::ParameterRange> decay_ranges = decoder.table().decay_ranges();
  const auto size = static_cast<std::size_t>(decoder.table().arena_size());
  std::vector<float> first(size, 0.0F);
  std::vector<float> second(size, 0.0F);
  std::vector<double> nll(batch.inputs.size());
  oracle::Optimizer optimizer(config(), settings);
  int clipped = 0;
  std::vector<float> gradients(size, 0.0F);
  for (std::int64_t step = 1; step <= settings.steps; ++step) {
    decoder.train(arena_, batch.view(), gradients, model::decoder::Accumulate::no, nll);
    const double mean_norm = std::sqrt(model::optimizer::sum_of_squares(gradients)) / static_cast<double>(tokens);
    const double clip = std::min(1.0, settings.clip_norm / mean_norm);
    clipped += clip < 1.0 ? 1 : 0;
    const model::optimizer::AdamWOptions options{.learning_rate = model::optimizer::learning_rate_at(schedule, step),
                                                 .beta1 = settings.beta1,
                                                 .beta2 = settings.beta2,
                                                 .epsilon = settings.epsilon,
                                                 .weight_decay = settings.weight_decay};
    model::optimizer::adamw(options, step, clip / static_cast<double>(tokens), 0, decay_ranges, arena_, gradients,
                            first, second);
    optimizer.step(tensors_, oracle::gradients(config(), tensors_, texts_), tokens);
  }
  EXPECT_GT(clipped, 0) << "the case does not exercise clipping";
  const std::vector<float> start = random_arena(config(), 7, tested().deviation);
  const oracle::Tensors before = to_tensors(config(), start);
  const oracle::Tensors after = to_tensors(config(), arena_);
  for (const auto& [name, expected] : tensors_) {
    EXPECT_LT(relative_l2(after.at(name).values, expected.values), 1e-5) << name;
    EXPECT_GT(relative_l2(before.at(name).values, expected.values), 1e-3) << name << " did not move";
  }
}

}  // namespace
}  // namespace chainrule::tests

// What the decoder promises of gradients whatever the parameters: how they add up, when they are final, what they need.
#include <algorithm>
#include <limits>

#include "model/ops/op_seconds.h"
#include "tests/model/decoder/decoder_promises.h"
#include "tests/support/values.h"

namespace chainrule::tests {
namespace {

INSTANTIATE_TEST_SUITE_P(Ops, DecoderPromises,
                         testing::Combine(testing::Values(kReferenceOps, kFastOps), testing::Values(kGpt2, kLlama)),
                         CaseName());

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
  config_.sequence_length = 600;  // two blocks of logits, both of which add to the output layer
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
  for (const model::decoder::Recompute recompute : model::decoder::kRecomputes) {
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
    EXPECT_EQ(static_cast<std::int64_t>(sink.ranges.size()), config_.layers + 2 + (config_.tied_head ? 0 : 1));
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

TEST_P(DecoderPromises, HoldsTheMemoryThatTheDescriptionForetells) {
  const model::shape::ParameterTable table(config_);
  for (const auto purpose : {model::decoder::Purpose::evaluate, model::decoder::Purpose::train}) {
    for (const model::decoder::Recompute recompute : model::decoder::kRecomputes) {
      const model::decoder::DecoderOptions options{.maximum_rows = 33, .purpose = purpose, .recompute = recompute};
      EXPECT_EQ(model::decoder::workspace_bytes(table, options),
                model::decoder::Decoder(config_, options, *ops_).workspace_bytes());
    }
  }
}

TEST(DecoderMemory, OfGpt2IsTheSumOfItsParts) {
  model::shape::Config config = *model::shape::preset("gpt2-124m");
  config.vocabulary_size = 50'257;
  const model::shape::ParameterTable table(config);
  using model::decoder::Recompute;
  const auto elements = [&](model::decoder::Purpose purpose, Recompute recompute) {
    return model::decoder::workspace_bytes(table, {.maximum_rows = 1024, .purpose = purpose, .recompute = recompute}) /
           4;
  };
  // A layer saves two means, two deviations and twelve log-sum-exps a row, and q, k, v, attention, middle and up.
  const std::int64_t layer = 1024 * (4 + 12 + 5 * 768 + 3072);
  const std::int64_t ends = 1024 * (768 + 2) + 512 * 50'272;
  const std::int64_t forward = 1024 * (768 + 3072);
  const std::int64_t backward = 1024 * (2 * 768 + 3072 + 3 * 768);
  // Of which up to attention's output:
  const std::int64_t attention = 1024 * (2 + 12 + 4 * 768);
  const std::int64_t always = 13 * 1024 * 768 + ends + forward + backward;
  EXPECT_EQ(elements(model::decoder::Purpose::evaluate, Recompute::none), 2 * 1024 * 768 + layer + ends + forward);
  EXPECT_EQ(elements(model::decoder::Purpose::train, Recompute::none), always + 12 * layer);
  EXPECT_EQ(elements(model::decoder::Purpose::train, Recompute::attention),
            always + 12 * (layer - attention) + attention);
  EXPECT_EQ(elements(model::decoder::Purpose::train, Recompute::full), always + layer);
}

TEST(DecoderMemory, IsLessTheMoreIsComputedAgainInEveryFamily) {
  auto families = relatives();
  families.emplace_back("gpt2", small_config(2, 4, 37, 40));
  for (const auto& [name, config] : families) {
    const model::shape::ParameterTable table(config);
    const auto bytes = [&, of = &table](model::decoder::Recompute recompute) {
      return model::decoder::workspace_bytes(
          *of, {.maximum_rows = 80, .purpose = model::decoder::Purpose::train, .recompute = recompute});
    };
    EXPECT_LT(bytes(model::decoder::Recompute::attention), bytes(model::decoder::Recompute::none)) << name;
    EXPECT_LT(bytes(model::decoder::Recompute::full), bytes(model::decoder::Recompute::attention)) << name;
  }
}

TEST_P(DecoderPromises, TimingChangesNoBit) {
  const OwnedBatch batch({random_text(config_, 40, 8)});
  std::vector<float> expected(arena_.size(), 0.0F);
  std::vector<float> actual(arena_.size(), 0.0F);
  train(batch, expected);
  model::ops::OpSeconds table;
  ops_->add_seconds_to(&table);
  train(batch, actual);
  ops_->add_seconds_to(nullptr);
  EXPECT_EQ(actual, expected);
  using model::ops::OpKind;
  for (std::size_t kind = 0; kind < model::ops::kOpKinds; ++kind) {
    const bool in_training = static_cast<OpKind>(kind) != OpKind::attention_step &&
                             (static_cast<OpKind>(kind) != OpKind::rotary ||
                              config_.position_encoding == model::shape::PositionEncoding::rotary);
    EXPECT_EQ(table[static_cast<OpKind>(kind)] > 0, in_training) << name_of(static_cast<OpKind>(kind));
  }
  const model::ops::OpSeconds before = table;
  train(batch, actual);
  for (std::size_t kind = 0; kind < model::ops::kOpKinds; ++kind) {
    EXPECT_EQ(table[static_cast<OpKind>(kind)], before[static_cast<OpKind>(kind)]);
  }
}

}  // namespace
}  // namespace chainrule::tests

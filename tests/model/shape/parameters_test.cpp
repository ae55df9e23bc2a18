#include "model/shape/parameters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "model/error.h"
#include "model/shape/initialise.h"
#include "tests/support/oracle.h"

namespace chainrule::model::shape {
namespace {

Config config_of(std::string_view name, std::int64_t vocabulary_size) {
  Config config = preset(name).value();
  config.vocabulary_size = vocabulary_size;
  return config;
}

TEST(ParameterCount, IsThatOfThePublishedModels) {
  EXPECT_EQ(parameter_count(config_of("gpt2-124m", 50'257)), 124'439'808);
  EXPECT_EQ(parameter_count(config_of("gpt2-355m", 50'257)), 354'823'168);
  EXPECT_EQ(parameter_count(config_of("gpt2-774m", 50'257)), 774'030'080);
  EXPECT_EQ(parameter_count(config_of("gpt2-1558m", 50'257)), 1'557'611'200);
}

TEST(Preset, EachIsAValidShapeOnceItHasAVocabulary) {
  EXPECT_FALSE(preset("gpt2-124").has_value());
  EXPECT_GE(preset_names().size(), 5u);
  for (const std::string& name : preset_names()) {
    EXPECT_THROW(validate(preset(name).value()), Error) << name;
    EXPECT_NO_THROW(validate(config_of(name, 1000))) << name;
  }
}

TEST(Flops, AreTwoPerParameterAndCausalAttention) {
  const Config config = config_of("gpt2-124m", 50'257);
  EXPECT_DOUBLE_EQ(forward_flops_per_token(config, 1024), 2.0 * 124'439'808 + 2.0 * 12 * 1024 * 768);
}

TEST(Validate, NamesWhatCannotBe) {
  const Config good = config_of("tiny", 100);
  const auto refused = [&](auto&& change, const std::string& words) {
    Config config = good;
    change(config);
    try {
      validate(config);
      ADD_FAILURE() << "accepted: " << words;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  };
  EXPECT_NO_THROW(validate(good));
  refused([](Config& c) { c.layers = 0; }, "layers");
  refused([](Config& c) { c.heads = 0; }, "heads");
  refused([](Config& c) { c.heads = 3; }, "multiple of its 3 heads");
  refused([](Config& c) { c.width = -64; }, "width");
  refused([](Config& c) { c.feed_forward_width = 0; }, "feed-forward");
  refused([](Config& c) { c.vocabulary_size = 0; }, "vocabulary");
  refused([](Config& c) { c.sequence_length = 0; }, "sequence length");
  refused([](Config& c) { c.normalization_epsilon = 0; }, "epsilon");
  refused([](Config& c) { c.key_value_heads = 3; }, "not a multiple of its 3 key and value heads");
  refused([](Config& c) { c.head_width = -1; }, "head width");
  refused([](Config& c) { c.attention_window = -1; }, "window");
  refused([](Config& c) { c.logit_soft_cap = -1; }, "soft cap");
  const auto rotary_refused = [&](auto&& change, const std::string& words) {
    refused(
        [&](Config& c) {
          c.position_encoding = PositionEncoding::rotary;
          change(c);
        },
        words);
  };
  rotary_refused([](Config& c) { c.head_width = 7; }, "even head width");
  rotary_refused([](Config& c) { c.rotary.theta = 0; }, "theta");
  using Kind = RotaryScaling::Kind;
  rotary_refused([](Config& c) { c.rotary.scaling = {.kind = Kind::linear, .factor = 0}; }, "factor");
  rotary_refused([](Config& c) { c.rotary.scaling = {.kind = Kind::llama3, .factor = 8}; }, "original length");
}

TEST(ParameterTable, HasTheNamesAndShapesOfTheModelInOrderWithoutOverlap) {
  const Config config = config_of("tiny", 77);
  const ParameterTable table(config);
  const tests::oracle::Tensors expected = tests::oracle::zero_parameters(config);
  EXPECT_EQ(table.parameters().size(), expected.size());
  std::int64_t end = 0;
  for (const Parameter& parameter : table.parameters()) {
    ASSERT_TRUE(expected.contains(parameter.name)) << parameter.name;
    EXPECT_EQ(parameter.shape, expected.at(parameter.name).shape) << parameter.name;
    EXPECT_EQ(parameter.decay, parameter.shape.size() == 2) << parameter.name;
    EXPECT_EQ(parameter.offset % 16, 0) << parameter.name;
    EXPECT_GE(parameter.offset, end) << parameter.name;
    EXPECT_LT(parameter.offset, end + 16) << parameter.name;
    end = parameter.offset + parameter.size();
    EXPECT_EQ(&table.find(parameter.name), &parameter);
  }
  EXPECT_GE(table.arena_size(), end);
  EXPECT_EQ(table.parameters().back().name, "token_embedding.weight");
  EXPECT_THROW(table.find("layers.2.attention_norm.weight"), Error);
  std::int64_t decaying = 0;
  for (const ParameterRange& range : table.decay_ranges()) decaying += range.end - range.begin;
  EXPECT_EQ(decaying, (77 + 128) * 64 + 2 * (12 * 64 * 64));
}

std::vector<float> initialised(const Config& config, std::uint64_t seed) {
  const ParameterTable table(config);
  std::vector<float> arena(table.arena_size(), 0.0F);
  initialise(config, table, seed, arena);
  return arena;
}

std::span<const float> view(const Config& config, const std::vector<float>& arena, const std::string& name) {
  const ParameterTable table(config);
  const Parameter& parameter = table.find(name);
  return std::span(arena).subspan(parameter.offset, parameter.size());
}

TEST(Initialise, HasTheDeviationsOfGpt2) {
  const Config config = config_of("mini", 1000);
  const std::vector<float> arena = initialised(config, 3);
  const ParameterTable table(config);
  for (const Parameter& parameter : table.parameters()) {
    const std::span<const float> values = view(config, arena, parameter.name);
    if (!parameter.decay) {
      const float expected = parameter.name.ends_with("norm.weight") ? 1.0F : 0.0F;
      EXPECT_TRUE(std::all_of(values.begin(), values.end(), [&](float v) { return v == expected; })) << parameter.name;
      continue;
    }
    double sum = 0;
    double squares = 0;
    double fourth_powers = 0;
    double with_next = 0;
    for (const float value : values) {
      sum += value;
      squares += static_cast<double>(value) * value;
      fourth_powers += std::pow(value, 4);
    }
    for (std::size_t i = 1; i < values.size(); ++i) with_next += static_cast<double>(values[i - 1]) * values[i];
    const auto n = static_cast<double>(values.size());
    const bool writes_into_residual =
        parameter.name.ends_with("attention.output.weight") || parameter.name.ends_with("feed_forward.down.weight");
    const double deviation = writes_into_residual ? 0.02 / std::sqrt(2.0 * 4.0) : 0.02;
    EXPECT_NEAR(std::sqrt(squares / n), deviation, 5 * deviation / std::sqrt(2 * n)) << parameter.name;
    EXPECT_NEAR(sum / n, 0.0, 5 * deviation / std::sqrt(n)) << parameter.name;
    // A normal distribution's fourth moment is 3 deviation^4, with variance 96 / n.
    EXPECT_NEAR(fourth_powers / n / std::pow(deviation, 4), 3.0, 5 * std::sqrt(96 / n)) << parameter.name;
    EXPECT_NEAR(with_next / n / (deviation * deviation), 0.0, 5 / std::sqrt(n)) << parameter.name;
  }
}

TEST(Initialise, DependsOnSeedNameAndIndexAlone) {
  const Config config = config_of("tiny", 50);
  const std::vector<float> arena = initialised(config, 1);
  EXPECT_EQ(arena, initialised(config, 1));
  EXPECT_NE(arena, initialised(config, 2));
  // A larger vocabulary moves tensors in the arena, and begins with the same rows.
  const Config larger = config_of("tiny", 90);
  const std::vector<float> larger_arena = initialised(larger, 1);
  for (const std::string name : {"layers.1.feed_forward.up.weight", "token_embedding.weight"}) {
    const std::span<const float> small_view = view(config, arena, name);
    const std::span<const float> large_view = view(larger, larger_arena, name);
    EXPECT_TRUE(std::equal(small_view.begin(), small_view.end(), large_view.begin())) << name;
  }
  // Two tensors of one shape draw numbers of their own.
  const std::span<const float> first = view(config, arena, "layers.0.feed_forward.up.weight");
  const std::span<const float> second = view(config, arena, "layers.1.feed_forward.up.weight");
  EXPECT_FALSE(std::equal(first.begin(), first.end(), second.begin()));
  double correlation = 0;
  for (std::size_t i = 0; i < first.size(); ++i) correlation += static_cast<double>(first[i]) * second[i];
  correlation /= 0.02 * 0.02 * static_cast<double>(first.size());
  EXPECT_NEAR(correlation, 0.0, 5 / std::sqrt(static_cast<double>(first.size())));
}

TEST(Initialise, RefusesAnArenaOfAnotherSize) {
  const Config config = config_of("tiny", 50);
  const ParameterTable table(config);
  std::vector<float> arena(table.arena_size() + 1);
  EXPECT_THROW(initialise(config, table, 1, arena), Error);
}

}  // namespace
}  // namespace chainrule::model::shape

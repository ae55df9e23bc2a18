// Rotary frequencies against the formulas of their papers, in float64.
#include "model/shape/rotary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "model/shape/rotary_factors.h"

namespace chainrule::model::shape {
namespace {

using Kind = RotaryScaling::Kind;

double plain(double theta, std::size_t pair, double width) {
  return std::pow(theta, -2.0 * static_cast<double>(pair) / width);
}

TEST(RotaryFrequencies, AreThePowersOfTheta) {
  const std::vector<float> frequencies = rotary_frequencies({.theta = 500'000}, 64, 1);
  ASSERT_EQ(frequencies.size(), 32u);
  EXPECT_EQ(frequencies[0], 1.0F);
  for (std::size_t i = 0; i < 32; ++i) EXPECT_NEAR(frequencies[i] / plain(500'000, i, 64), 1.0, 1e-6);
}

TEST(RotaryFrequencies, LinearDividesAll) {
  const Rotary rotary{.theta = 10'000, .scaling = {.kind = Kind::linear, .factor = 4}};
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_NEAR(rotary_frequencies(rotary, 16, 1)[i] * 4 / plain(10'000, i, 16), 1.0, 1e-6);
  }
}

TEST(RotaryFrequencies, DynamicStretchesTheSlowestAsFarAsTheSequenceIsLonger) {
  const Rotary rotary{.theta = 10'000, .scaling = {.kind = Kind::dynamic, .factor = 2, .original_length = 1000}};
  const std::vector<float> within = rotary_frequencies(rotary, 16, 1000);
  const std::vector<float> beyond = rotary_frequencies(rotary, 16, 3000);
  EXPECT_EQ(within, rotary_frequencies({.theta = 10'000}, 16, 1));
  EXPECT_EQ(beyond[0], within[0]);
  EXPECT_NEAR(within[7] / beyond[7], 2 * 3.0 - 1, 1e-4);
}

TEST(RotaryFrequencies, Llama3KeepsShortWavesDividesLongOnesAndBlendsBetween) {
  const RotaryScaling scaling{.kind = Kind::llama3,
                              .factor = 8,
                              .original_length = 8192,
                              .low_frequency_factor = 1,
                              .high_frequency_factor = 4};
  const std::vector<float> frequencies = rotary_frequencies({.theta = 500'000, .scaling = scaling}, 128, 1);
  int kept = 0;
  int divided = 0;
  for (std::size_t i = 0; i < 64; ++i) {
    const double frequency = plain(500'000, i, 128);
    const double turns = 8192 * frequency / (2 * std::numbers::pi);  // in the original length
    const double smooth = std::clamp((turns - 1) / (4 - 1), 0.0, 1.0);
    EXPECT_NEAR(frequencies[i] / (frequency * (smooth + (1 - smooth) / 8)), 1.0, 2e-6) << i;
    kept += turns > 4 ? 1 : 0;
    divided += turns < 1 ? 1 : 0;
  }
  EXPECT_EQ(kept, 29);
  EXPECT_EQ(divided, 29);
}

TEST(RotaryFrequencies, YarnRampsBetweenTheTwoBetas) {
  const RotaryScaling scaling{.kind = Kind::yarn, .factor = 4, .original_length = 32'768};
  const std::vector<float> frequencies = rotary_frequencies({.theta = 1e6, .scaling = scaling}, 128, 1);
  const auto pair_that_turns = [](double times) {
    return 128 * std::log(32'768 / (times * 2 * std::numbers::pi)) / (2 * std::log(1e6));
  };
  const double low = std::floor(pair_that_turns(32));
  const double high = std::ceil(pair_that_turns(1));
  EXPECT_EQ(low, 23);
  EXPECT_EQ(high, 40);
  for (std::size_t i = 0; i < 64; ++i) {
    const double divided = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    const double expected = plain(1e6, i, 128) * (1 - divided + divided / 4);
    EXPECT_NEAR(frequencies[i] / expected, 1.0, 2e-6) << i;
  }
}

TEST(RotaryFrequencies, FactorsDivideThemOneByOne) {
  const RotaryScaling scaling{.kind = Kind::factors, .factors = {1, 3, 0.5F, 32}};
  const std::vector<float> frequencies = rotary_frequencies({.theta = 10'000, .scaling = scaling}, 8, 1);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(frequencies[i] * static_cast<double>(scaling.factors[i]) / plain(10'000, i, 8), 1.0, 1e-6) << i;
  }
}

/// What llama.cpp's converter makes of Llama 3.1 8B's configuration, computed by it with PyTorch 2.15.
const std::vector<float> kBetween = {1.2074838876724243F, 1.5534145832061768F, 2.026313066482544F,
                                     2.6945300102233887F, 3.684253215789795F,  5.257327079772949F};

std::vector<float> factors_of_llama(const std::vector<float>& between) {
  std::vector<float> factors(29, 1.0F);
  factors.insert(factors.end(), between.begin(), between.end());
  factors.resize(64, 8.0F);
  return factors;
}

TEST(RotaryFactors, ThoseOfLlama3AreReadAsItsScaling) {
  const RotaryScaling expected{.kind = Kind::llama3,
                               .factor = 8,
                               .original_length = 8192,
                               .low_frequency_factor = 1,
                               .high_frequency_factor = 4};
  EXPECT_EQ(scaling_of_factors(factors_of_llama(kBetween), 500'000), expected);
  // Llama 3.2 1B
  std::vector<float> factors(15, 1.0F);
  factors.insert(factors.end(), {1.6513292789459229F, 3.2922627925872803F, 9.666730880737305F});
  factors.resize(32, 32.0F);
  EXPECT_EQ(scaling_of_factors(factors, 500'000).kind, Kind::llama3);
  EXPECT_EQ(scaling_of_factors(factors, 500'000).factor, 32);
  EXPECT_EQ(scaling_of_factors(factors, 500'000).original_length, 8192);
}

TEST(RotaryFactors, OthersStayAsTheyAre) {
  EXPECT_EQ(scaling_of_factors(std::vector<float>(8, 1.0F), 10'000), RotaryScaling{});
  const auto stay = [](const std::vector<float>& factors, double theta) {
    EXPECT_EQ(scaling_of_factors(factors, theta), (RotaryScaling{.kind = Kind::factors, .factors = factors}));
  };
  stay(factors_of_llama(kBetween), 400'000);
  std::vector<float> between = kBetween;
  between[3] = std::nextafter(between[3], 3.0F);
  stay(factors_of_llama(between), 500'000);
  stay({1, 1, 8, 8}, 10'000);
  stay({0.5F, 1, 2, 4}, 10'000);
  stay({1, 2, INFINITY, 4}, 10'000);
}

}  // namespace
}  // namespace chainrule::model::shape

#include "model/sampling/sampler.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "model/error.h"
#include "model/sampling/random_stream.h"
#include "tests/support/values.h"

namespace chainrule::tests {
namespace {

using model::sampling::RandomStream;
using model::sampling::Sampler;
using model::sampling::SamplingOptions;

constexpr int kDraws = 100'000;

std::vector<int> frequencies(const SamplingOptions& options, const std::vector<float>& logits,
                             const std::vector<std::uint32_t>& seen = {}) {
  Sampler sampler(options, static_cast<std::int64_t>(logits.size()));
  RandomStream random(11, 0, 0);
  std::vector<int> counts(logits.size(), 0);
  for (int draw = 0; draw < kDraws; ++draw) ++counts[*sampler.sample(logits, seen, random.next())];
  return counts;
}

/// The distribution that the options define, by sorting, in double.
std::vector<double> expected(const SamplingOptions& options, std::vector<double> logits,
                             const std::set<std::size_t>& seen = {}) {
  for (const std::size_t token : seen) {
    logits[token] *= logits[token] > 0 ? 1 / options.repetition_penalty : options.repetition_penalty;
  }
  std::vector<std::pair<double, std::size_t>> order;
  for (std::size_t i = 0; i < logits.size(); ++i) order.emplace_back(-std::exp(logits[i] / options.temperature), i);
  std::sort(order.begin(), order.end());
  if (options.top_k > 0) order.resize(std::min(order.size(), static_cast<std::size_t>(options.top_k)));
  double mass = 0;
  for (const auto& [weight, token] : order) mass -= weight;
  std::vector<double> kept(logits.size(), 0);
  double before = 0;
  double total = 0;
  for (const auto& [weight, token] : order) {
    const bool first = before == 0;
    if (!first && (before >= options.top_p * mass || -weight < options.min_p * -order[0].first)) break;
    before -= weight;
    kept[token] = -weight;
    total -= weight;
  }
  for (double& p : kept) p /= total;
  return kept;
}

/// Pearson's statistic lies below its mean plus 4.5 standard deviations, and what may not be drawn never is.
void expect_drawn_from(const std::vector<int>& counts, const std::vector<double>& probabilities) {
  double statistic = 0;
  int cells = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double mean = probabilities[i] * kDraws;
    if (mean == 0) {
      EXPECT_EQ(counts[i], 0) << "token " << i;
      continue;
    }
    if (mean < 5) continue;  // too rare for the statistic
    statistic += (counts[i] - mean) * (counts[i] - mean) / mean;
    ++cells;
  }
  ASSERT_GT(cells, 1);
  const double freedom = cells - 1;
  EXPECT_LT(statistic, freedom + 4.5 * std::sqrt(2 * freedom)) << cells << " cells";
}

std::vector<float> some_logits() { return normal_values(21, 60, 1.6); }

TEST(Sampler, FrequenciesMatchTheProbabilities) {
  const std::vector<float> logits = some_logits();
  const std::vector<SamplingOptions> all = {
      {},
      {.temperature = 0.7},
      {.temperature = 1.8, .top_k = 7},
      {.top_p = 0.8},
      {.min_p = 0.1},
      {.temperature = 1.2, .top_k = 30, .top_p = 0.9, .min_p = 0.02},
  };
  for (const SamplingOptions& options : all) {
    expect_drawn_from(frequencies(options, logits), expected(options, to_double(logits)));
  }
}

TEST(Sampler, TheStatisticRejectsAnotherDistribution) {
  const std::vector<float> logits = some_logits();
  const std::vector<int> counts = frequencies({.temperature = 1.1}, logits);
  const std::vector<double> other = expected({}, to_double(logits));
  double statistic = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double mean = other[i] * kDraws;
    if (mean >= 5) statistic += (counts[i] - mean) * (counts[i] - mean) / mean;
  }
  EXPECT_GT(statistic, 200);
}

TEST(Sampler, RepetitionPenaltyMakesSeenTokensRarer) {
  const std::vector<float> logits = {2.0F, 1.5F, -0.5F, 0.3F};
  const SamplingOptions options{.repetition_penalty = 1.7};
  // Seen twice counts once.
  expect_drawn_from(frequencies(options, logits, {0, 2, 0}), expected(options, to_double(logits), {0, 2}));
}

TEST(Sampler, TemperatureZeroIsTheLikeliestAndTheLowestIdAmongEquals) {
  Sampler sampler({.temperature = 0}, 4);
  const std::vector<float> logits = {0.5F, 2.0F, 2.0F, -1.0F};
  for (const double uniform : {0.0, 0.5, 0.999}) EXPECT_EQ(sampler.sample(logits, {}, uniform), 1U);
  EXPECT_EQ(Sampler({.temperature = 1e-300}, 4).sample(logits, {}, 0.9), 1U);
  EXPECT_EQ(Sampler({.top_k = 1}, 4).sample(logits, {}, 0.9), 1U);
  EXPECT_EQ(Sampler({.top_p = 1e-9}, 4).sample(logits, {}, 0.9), 1U);
}

TEST(Sampler, EndsOfTheUnitIntervalAreTokensThatMayBeDrawn) {
  const std::vector<float> logits = {0.0F, 1.0F, 2.0F};
  const double largest = std::nextafter(1.0, 0.0);
  EXPECT_EQ(Sampler({}, 3).sample(logits, {}, 0.0), 0U);
  EXPECT_EQ(Sampler({}, 3).sample(logits, {}, largest), 2U);
  EXPECT_EQ(Sampler({.top_k = 2}, 3).sample(logits, {}, largest), 1U);
}

TEST(Sampler, LogitsThatAreNotFiniteGiveNothing) {
  Sampler sampler({}, 3);
  EXPECT_FALSE(sampler.sample(std::vector<float>{0.0F, NAN, 1.0F}, {}, 0.5).has_value());
  EXPECT_FALSE(sampler.sample(std::vector<float>{0.0F, INFINITY, 1.0F}, {}, 0.5).has_value());
}

TEST(Sampler, RefusesOptionsOutOfRange) {
  for (const SamplingOptions& options : std::vector<SamplingOptions>{{.repetition_penalty = 0},
                                                                     {.temperature = -1},
                                                                     {.temperature = NAN},
                                                                     {.top_k = -1},
                                                                     {.top_p = 0},
                                                                     {.top_p = 1.5},
                                                                     {.min_p = -0.1},
                                                                     {.min_p = 1.1}}) {
    EXPECT_THROW(model::sampling::validate(options), model::Error);
  }
}

TEST(RandomStream, DependsOnSeedPromptAndSampleAlone) {
  const auto first = [](std::uint64_t seed, std::uint64_t prompt, std::uint64_t sample) {
    return RandomStream(seed, prompt, sample).next();
  };
  EXPECT_EQ(first(1, 2, 3), first(1, 2, 3));
  std::set<double> different = {first(0, 0, 0), first(1, 0, 0), first(0, 1, 0), first(0, 0, 1), first(1, 1, 0)};
  EXPECT_EQ(different.size(), 5U);
  RandomStream stream(1, 2, 3);
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double value = stream.next();
    ASSERT_GE(value, 0);
    ASSERT_LT(value, 1);
    sum += value;
  }
  EXPECT_NEAR(sum / 100'000, 0.5, 0.005);
}

}  // namespace
}  // namespace chainrule::tests

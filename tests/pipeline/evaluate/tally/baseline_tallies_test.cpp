// Exact quantiles of many numbers, and the sums over tokens beside a baseline.
#include "pipeline/evaluate/tally/baseline_tallies.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <random>

#include "io/error.h"

namespace chainrule::pipeline::evaluate::tally {
namespace {

std::filesystem::path folder() { return testing::TempDir(); }

double quantile_of(std::vector<double> values, double fraction) {
  std::sort(values.begin(), values.end());
  const double place = fraction * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const double next = values[std::min(below + 1, values.size() - 1)];
  return values[below] + (place - static_cast<double>(below)) * (next - values[below]);
}

TEST(ExactQuantiles, AreThoseOfTheSortedValues) {
  const std::vector<double> fractions = {0, 0.001, 0.1, 1.0 / 3, 0.5, 0.9, 0.999, 1};
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  for (const std::size_t count : {1U, 2U, 3U, 10U, 1000U, 150'001U}) {
    for (const bool small : {false, true}) {
      ExactQuantiles quantiles(folder());
      std::vector<double> values;
      for (std::size_t i = 0; i < count; ++i) {
        // Of many sizes and both signs, or near to each other and doubled.
        const double value =
            small ? 1 + std::round(normal(random) * 4) * 1e-16 : normal(random) * std::exp(9 * normal(random));
        values.push_back(i % 11 == 0 ? 0.0 : value);
        quantiles.add(i % 22 == 0 ? -values.back() : values.back());
      }
      const std::vector<double> found = quantiles.at(fractions);
      for (std::size_t i = 0; i < fractions.size(); ++i) {
        ASSERT_EQ(found[i], quantile_of(values, fractions[i])) << count << " values, fraction " << fractions[i];
      }
    }
  }
  EXPECT_TRUE(ExactQuantiles(folder()).at(fractions).empty());
}

ScoredToken token_of(std::uint64_t document, double nats, std::optional<BaselineToken> baseline) {
  ScoredToken token;
  token.document = document;
  token.nats = nats;
  token.nll.add(nats);
  token.baseline = baseline;
  return token;
}

TEST(BaselineTallies, AreThoseOfTheDefinition) {
  BaselineTallies tallies(folder());
  std::mt19937_64 random(6);
  std::exponential_distribution<double> exponential;
  std::vector<std::vector<double>> kl(7), more(7);
  std::vector<double> nats, others;
  for (std::size_t document = 0; document < kl.size(); ++document) {
    for (std::size_t i = 0; i < 3 * document; ++i) {
      nats.push_back(exponential(random));
      others.push_back(nats.back() * 0.7 + 0.2 * exponential(random));
      kl[document].push_back(exponential(random) * 0.1);
      more[document].push_back(nats.back() - others.back());
      tallies.add(token_of(document, nats.back(), BaselineToken{kl[document].back(), others.back(), i % 3 == 0}));
    }
  }
  tallies.finish();
  const auto n = static_cast<double>(nats.size());
  EXPECT_EQ(tallies.tokens(), nats.size());
  EXPECT_EQ(tallies.nonfinite(), 0U);
  EXPECT_NEAR(*tallies.same_top.mean(), 1.0 / 3, 1e-15);
  EXPECT_NEAR(*tallies.same_top.independent_standard_error(), std::sqrt(2.0 / 9 / (n - 1)), 1e-14);
  for (const auto& [found, of] : {std::pair(&tallies.kl, &kl), std::pair(&tallies.nats_more, &more)}) {
    double mean = 0;
    for (const auto& document : *of) {
      for (const double value : document) mean += value / n;
    }
    double squares = 0;
    double clustered = 0;
    std::uint64_t documents = 0;
    for (const auto& document : *of) {
      double sum = 0;
      for (const double value : document) squares += (value - mean) * (value - mean);
      for (const double value : document) sum += value - mean;
      clustered += sum * sum;
      documents += document.empty() ? 0 : 1;
    }
    const auto d = static_cast<double>(documents);
    EXPECT_NEAR(*found->mean(), mean, 1e-14);
    EXPECT_NEAR(*found->independent_standard_error(), std::sqrt(squares / n / (n - 1)), 1e-13);
    EXPECT_NEAR(*found->standard_error(), std::sqrt(d / (d - 1) * clustered) / n, 1e-13);
  }
  double covariance = 0, variance = 0, other_variance = 0, change = 0, squared = 0;
  double mean = 0, other_mean = 0;
  for (std::size_t i = 0; i < nats.size(); ++i) {
    mean += nats[i] / n;
    other_mean += others[i] / n;
    const double changed = std::exp(-nats[i]) - std::exp(-others[i]);
    change += changed / n;
    squared += changed * changed / n;
  }
  for (std::size_t i = 0; i < nats.size(); ++i) {
    covariance += (nats[i] - mean) * (others[i] - other_mean);
    variance += (nats[i] - mean) * (nats[i] - mean);
    other_variance += (others[i] - other_mean) * (others[i] - other_mean);
  }
  EXPECT_NEAR(*tallies.correlation(), covariance / std::sqrt(variance * other_variance), 1e-12);
  EXPECT_NEAR(*tallies.change.mean(), change, 1e-14);
  EXPECT_NEAR(*tallies.squared_change.mean(), squared, 1e-14);
  EXPECT_NEAR(*tallies.baseline_nats.mean(), other_mean, 1e-14);
}

TEST(BaselineTallies, TokensWithoutAFiniteResultOfBothAreCountedApart) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  BaselineTallies tallies(folder());
  tallies.add(token_of(0, 1, BaselineToken{0.5, 2, true}));
  tallies.add(token_of(0, kInfinity, BaselineToken{0.5, 2, true}));
  tallies.add(token_of(1, 1, BaselineToken{kInfinity, 2, true}));
  tallies.add(token_of(1, 1, BaselineToken{0.5, std::nan(""), true}));
  tallies.finish();
  EXPECT_EQ(tallies.tokens(), 1U);
  EXPECT_EQ(tallies.nonfinite(), 3U);
  EXPECT_EQ(tallies.kl.mean(), 0.5);
  EXPECT_EQ(tallies.kl.standard_error(), std::nullopt);
  EXPECT_EQ(tallies.correlation(), std::nullopt);
  EXPECT_THROW(tallies.add(token_of(2, 1, std::nullopt)), io::Error);
}

}  // namespace
}  // namespace chainrule::pipeline::evaluate::tally

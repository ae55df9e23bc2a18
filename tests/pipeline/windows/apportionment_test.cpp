#include "pipeline/windows/apportionment.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <random>
#include <set>
#include <utility>

#include "io/tokens/memory_stream.h"
#include "pipeline/windows/mixed_windows.h"

namespace chainrule::pipeline::windows {
namespace {

using Weights = std::vector<std::uint64_t>;

std::uint64_t sum(const Weights& weights) { return std::accumulate(weights.begin(), weights.end(), std::uint64_t{0}); }

/// Every source within 1 of its share after each of n samples, and every way to ask says the same.
void check_shares(const Weights& weights, std::uint64_t n) {
  const Apportionment order(weights);
  const std::uint64_t total = sum(weights);
  Weights had(weights.size());
  for (std::uint64_t i = 0; i < n; ++i) {
    const Apportionment::Place place = order.at(i);
    ASSERT_EQ(place.index, had[place.source]++);
    for (std::size_t source = 0; source < weights.size(); ++source) {
      const auto ahead =
          static_cast<std::int64_t>(had[source] * total) - static_cast<std::int64_t>(weights[source] * (i + 1));
      ASSERT_LT(std::abs(ahead), static_cast<std::int64_t>(total)) << "source " << source << " after " << i + 1;
    }
    if (i % 7 == 0) {
      ASSERT_EQ(order.counts(i + 1), had);
    }
  }
  EXPECT_EQ(order.counts(n), had);
}

TEST(Apportionment, KeepsEverySourceWithinOneOfItsShare) {
  check_shares({1}, 10);
  check_shares({1, 1}, 10);
  check_shares({1, 99}, 400);
  check_shares({2, 3, 5}, 100);
  check_shares({6, 6, 6, 1, 1, 1}, 100);
  check_shares({999, 1, 0, 500}, 4'000);
  std::mt19937_64 random(1);
  for (int round = 0; round < 300; ++round) {
    Weights weights(1 + random() % 12);
    const std::uint64_t most = std::uint64_t{1} << (1 + random() % 9);
    for (std::uint64_t& weight : weights) weight = random() % most;
    if (sum(weights) == 0) weights[0] = 1;
    check_shares(weights, 2 * sum(weights) + 5);
    if (HasFatalFailure()) FAIL() << testing::PrintToString(weights);
  }
}

TEST(Apportionment, IsThatOfTheProportions) {
  const Apportionment small(Weights{1, 3, 0});
  const Apportionment large(Weights{1'000'000, 3'000'000, 0});
  for (std::uint64_t n = 0; n < 20; ++n) EXPECT_EQ(small.at(n), large.at(n));
  EXPECT_EQ(Apportionment::period_of(Weights{250'000, 750'000}), 4U);
  EXPECT_EQ(Apportionment::period_of(Weights{0, 0}), 0U);
}

TEST(Apportionment, RefusesWhatCannotBeDealtOut) {
  EXPECT_THROW(Apportionment(Weights{0, 0}), std::length_error);
  EXPECT_THROW(Apportionment(Weights{}), std::length_error);
  EXPECT_THROW(Apportionment(Weights{1, Apportionment::kLongestPeriod}), std::length_error);
}

TEST(Apportionment, LongPeriodsAreExactToo) {
  const Weights weights{999'983, 17};
  const Apportionment order(weights);
  EXPECT_EQ(order.counts(1'000'000), weights);
  EXPECT_EQ(order.counts(3'000'000'000'000), (Weights{2'999'949'000'000, 51'000'000}));
  const Apportionment::Place far = order.at(5'000'000'000'000'000'000);
  EXPECT_EQ(far.index, order.at(0).index + 5'000'000'000'000 * weights[far.source]);
}

TEST(MixOrder, GoesOnInEachSourceWhereTheStageBeforeEnded) {
  const MixOrder order({{0, {1, 1, 0}}, {7, {0, 2, 1}}, {20, {5, 0, 0}}, {21, {1, 1, 1}}});
  Weights had(3);
  for (std::uint64_t n = 0; n < 60; ++n) {
    EXPECT_EQ(order.counts(n), had);
    const Apportionment::Place place = order.at(n);
    EXPECT_EQ(place.index, had[place.source]++);
    if (n < 7) {
      EXPECT_NE(place.source, 2U);
    }
    if (n >= 7 && n < 20) {
      EXPECT_NE(place.source, 0U);
    }
    if (n == 20) {
      EXPECT_EQ(place.source, 0U);
    }
  }
}

TEST(MixOrder, RefusesStagesThatDoNotFollowEachOther) {
  EXPECT_THROW(MixOrder(std::vector<MixStage>()), std::invalid_argument);
  EXPECT_THROW(MixOrder(std::vector<MixStage>{{1, {1}}}), std::invalid_argument);
  EXPECT_THROW(MixOrder({{0, {1}}, {0, {1}}}), std::invalid_argument);
  EXPECT_THROW(MixOrder({{0, {1}}, {3, {1, 1}}}), std::invalid_argument);
}

TEST(MixedWindows, RepeatNoWindowWithinAnEpochOfItsSourceWhateverTheStages) {
  io::tokens::MemoryStream first({100, 99, 99});
  first.append(std::vector<std::uint32_t>(4 * 11, 7));
  io::tokens::MemoryStream second({100, 99, 99});
  second.append(std::vector<std::uint32_t>(4 * 30, 8));
  const MixedWindows samples(MixOrder({{0, {1, 3}}, {10, {2, 1}}, {17, {1, 9}}}),
                             {PermutedWindows(Windows(first, 4), 1), PermutedWindows(Windows(second, 4), 2)});
  std::map<const io::tokens::TokenStream*, std::set<std::pair<std::uint64_t, std::uint64_t>>> seen;
  for (std::uint64_t n = 0; n < 200; ++n) {
    const Sample sample = samples.sample(n);
    EXPECT_TRUE(seen[sample.stream].emplace(sample.epoch, sample.window.first_target).second) << n;
  }
  for (const auto& [stream, windows] : seen) {  // epochs but the last are whole
    std::map<std::uint64_t, std::size_t> sizes;
    for (const auto& [epoch, window] : windows) ++sizes[epoch];
    for (std::size_t epoch = 0; epoch + 1 < sizes.size(); ++epoch) EXPECT_EQ(sizes[epoch], stream->token_count() / 4);
  }
  EXPECT_EQ(seen.size(), 2U);
}

}  // namespace
}  // namespace chainrule::pipeline::windows

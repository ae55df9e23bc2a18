#include "pipeline/evaluate/tally/protocol_tallies.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace chainrule::pipeline::evaluate::tally {
namespace {

/// Windows of these nats, in order.
void add_windows(const std::vector<std::vector<double>>& windows, TokenSink& sink) {
  ScoredToken token;
  for (const auto& window : windows) {
    token.window_scored = static_cast<std::int64_t>(window.size());
    token.context = 0;
    for (const double nats : window) {
      ++token.context;
      token.nll = {};
      token.nll.add(nats);
      sink.add(token);
    }
    ++token.window;
  }
}

TEST(WindowAverage, WeighsWindowsNotTokens) {
  WindowAverage alike([](std::uint64_t, std::int64_t) { return 1.0; });
  WindowAverage by_index([](std::uint64_t window, std::int64_t) { return static_cast<double>(window); });
  WindowAverage by_tokens([](std::uint64_t, std::int64_t scored) { return static_cast<double>(scored); });
  for (WindowAverage* each : {&alike, &by_index, &by_tokens}) add_windows({{1, 2, 3}, {8}, {5, 5}}, *each);
  EXPECT_DOUBLE_EQ(alike.nats().value(), 5);
  EXPECT_DOUBLE_EQ(by_index.nats().value(), 6);
  EXPECT_DOUBLE_EQ(by_tokens.nats().value(), 4);
}

TEST(WindowAverage, IsNoneWithoutWeightOrWithAResultThatIsNotFinite) {
  WindowAverage none([](std::uint64_t, std::int64_t) { return 1.0; });
  EXPECT_FALSE(none.nats());
  WindowAverage weightless([](std::uint64_t, std::int64_t) { return 0.0; });
  add_windows({{1}}, weightless);
  EXPECT_FALSE(weightless.nats());
  WindowAverage broken([](std::uint64_t, std::int64_t) { return 1.0; });
  add_windows({{1}, {std::numeric_limits<double>::quiet_NaN()}, {1}}, broken);
  EXPECT_FALSE(broken.nats());
}

TEST(ContextCounts, GiveEndsMedianAndMean) {
  ContextCounts counts;
  EXPECT_EQ(counts.minimum(), 0U);
  EXPECT_EQ(counts.median(), 0U);
  EXPECT_EQ(counts.maximum(), 0U);
  EXPECT_FALSE(counts.mean());
  ScoredToken token;
  for (const std::int64_t context : {9, 3, 3, 5}) {
    token.context = context;
    counts.add(token);
  }
  EXPECT_EQ(counts.minimum(), 3U);
  EXPECT_EQ(counts.median(), 3U);
  EXPECT_EQ(counts.maximum(), 9U);
  EXPECT_DOUBLE_EQ(counts.mean().value(), 5);
  token.context = 9;
  counts.add(token);
  EXPECT_EQ(counts.median(), 5U);
}

}  // namespace
}  // namespace chainrule::pipeline::evaluate::tally

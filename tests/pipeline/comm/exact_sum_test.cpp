#include "pipeline/comm/exact_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "tests/support/mpi_world.h"

namespace chainrule::pipeline::comm {
namespace {

std::vector<double> losses(std::size_t count) {
  std::mt19937_64 random(7);
  std::exponential_distribution<double> draw(0.3);
  std::vector<double> values(count);
  for (double& value : values) value = draw(random);
  values[0] = 123456.789;  // an outlier makes plain double sums depend on the order
  return values;
}

ExactSum sum_of(const std::vector<double>& values) {
  ExactSum sum;
  for (const double value : values) sum.add(value);
  return sum;
}

TEST(ExactSum, IsTheSameInAnyOrderAndAnyGrouping) {
  std::vector<double> values = losses(5'000);
  const ExactSum forward = sum_of(values);
  std::shuffle(values.begin(), values.end(), std::mt19937_64(3));
  EXPECT_EQ(sum_of(values), forward);
  ExactSum merged;
  for (std::size_t first = 0; first < values.size(); first += 700) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(first);
    const auto length = static_cast<std::ptrdiff_t>(std::min<std::size_t>(700, values.size() - first));
    merged.merge(sum_of({begin, begin + length}));
  }
  EXPECT_EQ(merged, forward);
  EXPECT_EQ(forward.count(), 5'000U);
}

TEST(ExactSum, RoundsEachValueOnceToTheNearestStep) {
  ExactSum sum;
  sum.add(std::ldexp(0.75, -32));
  EXPECT_EQ(sum.raw().low, 1U);
  sum.add(std::ldexp(0.25, -32));
  EXPECT_EQ(sum.raw().low, 1U);
  sum.add(2.5);
  EXPECT_EQ(sum.nats(), 2.5 + std::ldexp(1.0, -32));
}

TEST(ExactSum, HoldsNegativeValuesAndCarries) {
  ExactSum sum;
  sum.add(-1.5);
  EXPECT_EQ(sum.nats(), -1.5);
  sum.add(4.0);
  EXPECT_EQ(sum.nats(), 2.5);
  ExactSum large;
  for (int i = 0; i < 1000; ++i) large.add(0x1p39);  // well past 64 bits
  EXPECT_EQ(large.nats(), 1000 * 0x1p39);
}

TEST(ExactSum, CountsWhatIsNotFiniteApart) {
  ExactSum sum;
  sum.add(1.0);
  sum.add(std::numeric_limits<double>::quiet_NaN());
  sum.add(std::numeric_limits<double>::infinity());
  sum.add(-std::numeric_limits<double>::infinity());
  sum.add(0x1p40);
  EXPECT_EQ(sum.nats(), 1.0);
  EXPECT_EQ(sum.count(), 1U);
  EXPECT_EQ(sum.nonfinite(), 4U);
}

TEST(ExactSum, OverRanksEqualsTheSumOfAllValues) {
  const Communicator& world = tests::world();
  const std::vector<double> values = losses(1'000);
  ExactSum mine;
  for (std::size_t i = static_cast<std::size_t>(world.rank()); i < values.size();
       i += static_cast<std::size_t>(world.size())) {
    mine.add(i % 5 == 0 ? -values[i] : values[i]);
  }
  if (world.rank() == world.size() - 1) mine.add(std::nan(""));
  ExactSum all;
  for (std::size_t i = 0; i < values.size(); ++i) all.add(i % 5 == 0 ? -values[i] : values[i]);
  all.add(std::nan(""));
  std::int64_t alongside[] = {world.rank() + 1, 10};
  EXPECT_EQ(sum_over_ranks(world, mine, alongside), all);
  EXPECT_EQ(alongside[0], world.size() * (world.size() + 1) / 2);
  EXPECT_EQ(alongside[1], 10 * world.size());
}

/// The vector of the design: loss 2 over 1 token and loss 90 over 9 tokens are 9.2 a token; the mean of the two means
/// would be 6.
TEST(ExactSum, WeighsByTokensOverRanks) {
  const Communicator& world = tests::world();
  ExactSum mine;
  if (world.rank() == 0) mine.add(2.0);
  if (world.rank() == world.size() - 1) {
    for (int i = 0; i < 9; ++i) mine.add(10.0);
  }
  const ExactSum all = sum_over_ranks(world, mine);
  EXPECT_EQ(all.nats() / static_cast<double>(all.count()), 9.2);
}

}  // namespace
}  // namespace chainrule::pipeline::comm

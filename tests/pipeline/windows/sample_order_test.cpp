#include "pipeline/windows/sample_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <vector>

namespace chainrule::pipeline::windows {
namespace {

TEST(Permutation, VisitsEveryIndexOnce) {
  for (const std::uint64_t size : {1U, 2U, 3U, 4U, 5U, 16U, 17U, 63U, 64U, 65U, 1000U}) {
    const Permutation permutation(42, size);
    std::set<std::uint64_t> seen;
    for (std::uint64_t i = 0; i < size; ++i) seen.insert(permutation(i));
    EXPECT_EQ(seen.size(), size);
    EXPECT_EQ(*seen.rbegin(), size - 1);
  }
}

TEST(Permutation, StaysInsideLargeSizes) {
  const std::uint64_t size = (std::uint64_t{1} << 40U) + 12345;
  const Permutation permutation(1, size);
  std::set<std::uint64_t> seen;
  for (std::uint64_t i = 0; i < 1000; ++i) seen.insert(permutation(size - 1 - i));
  EXPECT_EQ(seen.size(), 1000U);
  EXPECT_LT(*seen.rbegin(), size);
}

/// Displacement of a random permutation is a third of its size on average, and hardly any neighbours stay neighbours.
TEST(Permutation, LooksRandom) {
  constexpr std::int64_t kSize = 3000;
  const Permutation permutation(7, kSize);
  double displacement = 0;
  int neighbours = 0;
  for (std::int64_t i = 0; i < kSize; ++i) {
    const auto here = static_cast<std::int64_t>(permutation(static_cast<std::uint64_t>(i)));
    displacement += static_cast<double>(std::abs(here - i)) / kSize;
    if (i > 0 && here == static_cast<std::int64_t>(permutation(static_cast<std::uint64_t>(i - 1))) + 1) ++neighbours;
  }
  EXPECT_NEAR(displacement / kSize, 1.0 / 3, 0.02);
  EXPECT_LE(neighbours, 8);
}

TEST(SampleOrder, TakesEachWindowOnceAnEpochInAnotherOrderEachEpochAndSeed) {
  constexpr std::uint64_t kWindows = 97;
  const auto epoch = [](std::uint64_t seed, std::uint64_t which) {
    const SampleOrder order(seed, kWindows);
    std::vector<std::uint64_t> windows;
    for (std::uint64_t i = 0; i < kWindows; ++i) {
      EXPECT_EQ(order.epoch_of(which * kWindows + i), which);
      windows.push_back(order.window_of(which * kWindows + i));
    }
    return windows;
  };
  const auto first = epoch(5, 0);
  for (const auto& other : {epoch(5, 1), epoch(5, 2), epoch(6, 0)}) {
    EXPECT_NE(other, first);
    auto sorted = other;
    std::sort(sorted.begin(), sorted.end());
    for (std::uint64_t i = 0; i < kWindows; ++i) ASSERT_EQ(sorted[i], i);
  }
  EXPECT_EQ(epoch(5, 0), first);
}

/// A run may be resumed years later: the order is part of the format, so it is pinned.
TEST(SampleOrder, IsPinned) {
  const SampleOrder order(1234, 1000);
  std::vector<std::uint64_t> windows;
  for (const std::uint64_t sample : {0U, 1U, 2U, 999U, 1000U, 1001U}) windows.push_back(order.window_of(sample));
  EXPECT_EQ(windows, (std::vector<std::uint64_t>{54, 189, 269, 553, 148, 354}));
}

}  // namespace
}  // namespace chainrule::pipeline::windows

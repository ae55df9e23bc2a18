#include "pipeline/pretrain/step/recent_steps.h"

#include <gtest/gtest.h>

#include <cmath>

namespace chainrule::pipeline::pretrain::step {
namespace {

TEST(RecentValues, LimitIsSixDeviationsAboveTheMeanOfTheLast) {
  RecentValues recent;
  for (std::size_t i = 0; i < RecentValues::kMost; ++i) {
    EXPECT_FALSE(recent.limit().has_value()) << i;
    recent.add(i % 2 == 0 ? 3.0 : 5.0);
  }
  const double deviation = std::sqrt(128.0 / 127.0);  // of 64 times 3 and 64 times 5
  ASSERT_TRUE(recent.limit().has_value());
  EXPECT_NEAR(*recent.limit(), 4 + 6 * deviation, 1e-12);
  for (std::size_t i = 0; i < RecentValues::kMost; ++i) recent.add(7);  // what came before is forgotten
  EXPECT_NEAR(*recent.limit(), 7, 1e-12);
}

TEST(RecentValues, AreTheSameWhenTheyAreGivenBack) {
  RecentValues recent;
  for (int i = 0; i < 200; ++i) recent.add(std::sqrt(i));
  RecentValues back(recent.values());
  EXPECT_EQ(*back.limit(), *recent.limit());
  back.add(1.25);
  recent.add(1.25);
  EXPECT_EQ(*back.limit(), *recent.limit());
  EXPECT_EQ(RecentValues(std::vector<double>(500, 1)).values().size(), RecentValues::kMost);
}

}  // namespace
}  // namespace chainrule::pipeline::pretrain::step

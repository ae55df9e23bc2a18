#include "pipeline/show/numbers.h"

#include <gtest/gtest.h>

#include <limits>

namespace {

using namespace chainrule::pipeline::show;

TEST(Numbers, GroupsDigitsByThree) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(124'439'808), "124,439,808");
  EXPECT_EQ(grouped(std::numeric_limits<std::uint64_t>::max()), "18,446,744,073,709,551,615");
}

TEST(Numbers, ShowsTimesAsAClockDoes) {
  EXPECT_EQ(clock_time(0), "0:00");
  EXPECT_EQ(clock_time(59.4), "0:59");
  EXPECT_EQ(clock_time(59.5), "1:00");
  EXPECT_EQ(clock_time(3599.4), "59:59");
  EXPECT_EQ(clock_time(3599.5), "1:00:00");
  EXPECT_EQ(clock_time(360'000), "100:00:00");
  EXPECT_EQ(clock_time(6, Hours::always), "0:00:06");
}

TEST(Numbers, ScalesLargeOnes) {
  EXPECT_EQ(scaled(0), "0");
  EXPECT_EQ(scaled(9999), "9999");
  EXPECT_EQ(scaled(12'345), "12.3k");
  EXPECT_EQ(scaled(1'234'567), "1.2M");
  EXPECT_EQ(scaled(2.5e9), "2.5G");
}

TEST(Numbers, ShowsMomentsInIso8601) {
  EXPECT_EQ(utc_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(utc_text(1'769'860'800), "2026-01-31T12:00:00Z");
}

}  // namespace

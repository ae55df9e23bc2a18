#include "pipeline/show/chart/scale.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace chainrule::pipeline::show::chart {
namespace {

std::vector<std::string> labels(const Scale& scale) {
  std::vector<std::string> all;
  for (const Tick& tick : scale.ticks()) all.push_back(tick.label);
  return all;
}

TEST(Scale, ALinearOneBeginsAndEndsAtTicks) {
  const Scale scale = Scale::linear(2.9, 8.7);
  EXPECT_THAT(labels(scale), testing::ElementsAre("2", "4", "6", "8", "10"));
  EXPECT_DOUBLE_EQ(scale.place(2), 0);
  EXPECT_DOUBLE_EQ(scale.place(4), 0.25);
  EXPECT_DOUBLE_EQ(scale.place(10), 1);
  EXPECT_DOUBLE_EQ(scale.place(11), 1);
}

TEST(Scale, ALogarithmicOneHasEqualWaysForEqualRatios) {
  const Scale scale = Scale::logarithmic(0.01, 100);
  EXPECT_THAT(labels(scale), testing::ElementsAre("0.01", "0.1", "1", "10", "100"));
  EXPECT_NEAR(scale.place(1), 0.5, 1e-12);
  EXPECT_NEAR(scale.place(0.1), 0.25, 1e-12);
}

// Beyond 2^53 a double plus 1 may be the same, and below 1e-308 a power of ten is 0.
TEST(Scale, EndsWhereNumbersDo) {
  EXPECT_LE(Scale::counting(0x1p53, 0x1p53 + 2).ticks().size(), 8U);
  EXPECT_LE(Scale::counting(1e300, 1e300).ticks().size(), 100U);
  EXPECT_LE(Scale::logarithmic(5e-324, 1).ticks().size(), 8U);
  EXPECT_LE(Scale::logarithmic(5e-324, 1e-323).ticks().size(), 8U);
  EXPECT_LE(Scale::logarithmic(1e-300, 1.7e308).ticks().size(), 8U);
}

TEST(Scale, EveryRangeHasTicksThatAreNotTooMany) {
  for (double least = 1e-9; least < 1e12; least *= 7.3) {
    for (double ratio = 1; ratio < 1e15; ratio *= 1.9) {
      const double most = least * ratio;
      for (const Scale& scale :
           {Scale::linear(least, most), Scale::logarithmic(least, most), Scale::counting(least, most)}) {
        const std::size_t fewest = scale.is_logarithmic() ? 2 : 1;
        EXPECT_GE(scale.ticks().size(), fewest) << least << " " << most;
        EXPECT_LE(scale.ticks().size(), 9U) << least << " " << most;
        for (const Tick& tick : scale.ticks())
          EXPECT_TRUE(scale.place(tick.value) >= 0 && scale.place(tick.value) <= 1);
      }
    }
  }
}

TEST(Scale, ADegenerateRangeStillHasAPlaceForItsValues) {
  for (const Scale& scale : {Scale::linear(3, 3), Scale::linear(0, 0), Scale::linear(NAN, NAN),
                             Scale::logarithmic(3, 3), Scale::counting(7, 7)}) {
    EXPECT_GE(scale.ticks().size(), 1U);
    EXPECT_TRUE(std::isfinite(scale.place(3)));
  }
  EXPECT_NEAR(Scale::linear(3, 3).place(3), 0.5, 0.2);
}

TEST(Scale, NumbersAreShort) {
  EXPECT_EQ(axis_number(0), "0");
  EXPECT_EQ(axis_number(0.0004), "0.0004");
  EXPECT_EQ(axis_number(1e-5), "1e-05");
  EXPECT_EQ(axis_number(1500), "1.5k");
  EXPECT_EQ(axis_number(20e6), "20M");
  EXPECT_EQ(axis_number(3e9), "3G");
}

}  // namespace
}  // namespace chainrule::pipeline::show::chart

#include "pipeline/watch/curves/thinned_series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace chainrule::pipeline::watch::curves {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(ThinnedSeries, KeepsEachValueWhereThereIsRoom) {
  ThinnedSeries series(4);
  for (int step = 1; step <= 4; ++step) series.add(step, 10 * step);
  ASSERT_EQ(series.buckets().size(), 4U);
  EXPECT_EQ(series.buckets()[2].first_step, 3);
  EXPECT_EQ(series.buckets()[2].mean(), 30);
  EXPECT_EQ(series.last(), 40);
  EXPECT_EQ(series.last_step(), 4);
}

TEST(ThinnedSeries, LosesNoMinimumNoMaximumAndNoValue) {
  ThinnedSeries series(64);
  std::mt19937 random(1);
  std::uniform_real_distribution<double> value(-1, 1);
  double sum = 0;
  std::int64_t values = 0;
  for (std::int64_t step = 3; step < 100'000; step += 7, ++values) {
    const double now = step == 70'003 ? 5 : step == 41'002 ? -5 : value(random);
    series.add(step, now);
    sum += now;
    ASSERT_LE(series.buckets().size(), 64U);
  }
  EXPECT_EQ(series.maximum(), 5);
  EXPECT_EQ(series.minimum(), -5);
  EXPECT_GE(series.buckets().size(), 32U);
  double bucket_sum = 0;
  std::int64_t bucket_values = 0;
  std::int64_t behind = 0;
  for (const ThinnedSeries::Bucket& bucket : series.buckets()) {
    EXPECT_GT(bucket.first_step, behind);
    EXPECT_GE(bucket.last_step, bucket.first_step);
    behind = bucket.last_step;
    bucket_sum += bucket.sum;
    bucket_values += bucket.values;
    EXPECT_EQ(bucket.maximum == 5, bucket.first_step <= 70'003 && 70'003 <= bucket.last_step);
    EXPECT_EQ(bucket.minimum == -5, bucket.first_step <= 41'002 && 41'002 <= bucket.last_step);
  }
  EXPECT_NEAR(bucket_sum, sum, 1e-9);
  EXPECT_EQ(bucket_values, values);
  EXPECT_EQ(series.values(), values);
}

TEST(ThinnedSeries, WhatIsNotFiniteIsAGap) {
  ThinnedSeries series;
  series.add(1, kNan);
  series.add(2, 1);
  series.add(3, 2);
  series.add(4, INFINITY);
  series.add(5, 3);
  EXPECT_EQ(series.nonfinite(), 2);
  EXPECT_EQ(series.values(), 3);
  std::vector<bool> gaps;
  for (const ThinnedSeries::Bucket& bucket : series.buckets()) gaps.push_back(bucket.behind_gap);
  EXPECT_THAT(gaps, testing::ElementsAre(false, false, true));
}

TEST(ThinnedSeries, NothingHasNoValues) {
  const ThinnedSeries series;
  EXPECT_TRUE(std::isnan(series.last()));
  EXPECT_TRUE(std::isnan(series.minimum()));
  EXPECT_TRUE(std::isnan(series.maximum()));
}

TEST(ThinnedSeries, CoarserItKeepsItsExtremes) {
  ThinnedSeries series(1024);
  for (int step = 1; step <= 1000; ++step) series.add(step, step == 500 ? 9 : 1);
  series.coarsen(10);
  EXPECT_LE(series.buckets().size(), 10U);
  EXPECT_EQ(series.maximum(), 9);
  EXPECT_EQ(series.minimum(), 1);
}

}  // namespace
}  // namespace chainrule::pipeline::watch::curves

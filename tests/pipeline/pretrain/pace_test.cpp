#include "pipeline/pretrain/pace.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace chainrule::pipeline::pretrain {
namespace {

/// Mean time that a run loses per second of work: saves every `interval`, fails at random once in `failure` on average,
/// and does again what came after the last save.
double lost(double interval, double save, double failure, std::mt19937_64& random) {
  std::exponential_distribution<double> until_failure(1 / failure);
  constexpr double kWork = 4e6;
  double done = 0;
  double elapsed = 0;
  while (done < kWork) {
    double left = until_failure(random);
    while (left >= interval + save && done < kWork) {
      done += interval;
      elapsed += interval + save;
      left -= interval + save;
    }
    elapsed += std::min(left, interval + save);
  }
  return elapsed / done - 1;
}

TEST(CheckpointInterval, LosesLessThanHalfAndTwiceOfIt) {
  for (const auto& [save, failure] : {std::pair(5.0, 3600.0), std::pair(60.0, 3600.0), std::pair(300.0, 20'000.0)}) {
    std::mt19937_64 random(7);
    const double interval = checkpoint_interval(save, failure);
    const double best = lost(interval, save, failure, random);
    EXPECT_LT(best, lost(interval / 2, save, failure, random)) << save;
    EXPECT_LT(best, lost(interval * 2, save, failure, random)) << save;
  }
}

TEST(CheckpointInterval, IsYoungsWhereSavingCostsLittle) {
  EXPECT_NEAR(checkpoint_interval(1, 86'400), std::sqrt(2 * 86'400), 1);
  EXPECT_GE(checkpoint_interval(1000, 100), 1000) << "it would do nothing else";
}

TEST(Pace, SavesAfterAnInterval) {
  Pace pace({.checkpoint_seconds = 100});
  EXPECT_FALSE(pace.should_save(99));
  EXPECT_TRUE(pace.should_save(100));
  pace.begin_interval(130);
  EXPECT_FALSE(pace.should_save(229));
  EXPECT_TRUE(pace.should_save(230));
  EXPECT_FALSE(Pace({}).should_save(1e9));
}

TEST(Pace, AnIntervalFollowsWhatSavingCosts) {
  Pace pace({.failure_seconds = 3600, .save_seconds = 2});
  EXPECT_FALSE(pace.should_save(checkpoint_interval(2, 3600) - 1));
  EXPECT_TRUE(pace.should_save(checkpoint_interval(2, 3600)));
  pace.begin_interval(200);
  pace.saved(80, 50);
  EXPECT_FALSE(pace.should_save(200 + checkpoint_interval(50, 3600) - 1));
  EXPECT_TRUE(pace.should_save(200 + checkpoint_interval(50, 3600)));
}

TEST(Pace, SavesOnceTheOneBeforeWouldBeOver) {
  Pace pace({.checkpoint_seconds = 10});
  pace.begin_interval(100);
  pace.saved(60, 1);
  EXPECT_FALSE(pace.should_save(159));
  EXPECT_TRUE(pace.should_save(160));
}

TEST(Pace, StopsWhileThereIsTimeToSave) {
  Pace pace({.seconds_left = 1000, .save_seconds = 20});
  EXPECT_FALSE(pace.should_stop(999)) << "no step was taken";
  pace.step_took(30);
  pace.step_took(3);
  EXPECT_FALSE(pace.should_stop(889));
  EXPECT_TRUE(pace.should_stop(890));  // two steps of 30, a save of 20 that may take twice as long, and 10 to end
  pace.saved(100, 3);
  EXPECT_TRUE(pace.should_stop(730));
  EXPECT_FALSE(pace.should_stop(729));
  Pace endless({});
  endless.step_took(1);
  EXPECT_FALSE(endless.should_stop(1e12));
}

}  // namespace
}  // namespace chainrule::pipeline::pretrain

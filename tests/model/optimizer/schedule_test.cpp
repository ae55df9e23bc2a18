#include "model/optimizer/schedule.h"

#include <gtest/gtest.h>

#include "tests/support/oracle_optimizer.h"

namespace chainrule::model::optimizer {
namespace {

TEST(Schedule, WarmsUpLinearlyThenFallsAlongHalfACosine) {
  const ScheduleOptions options{.learning_rate = 1.0, .minimum_learning_rate = 0.1, .warmup_steps = 4, .steps = 24};
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 1), 0.25);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 3), 0.75);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 4), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 14), 0.55);  // half way
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 24), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 100), 0.1);
  for (std::int64_t step = 5; step <= 24; ++step) {
    EXPECT_LT(learning_rate_at(options, step), learning_rate_at(options, step - 1)) << "step " << step;
  }
}

TEST(Schedule, ALineFallsEvenly) {
  const ScheduleOptions options{.shape = ScheduleShape::linear,
                                .learning_rate = 1.0,
                                .minimum_learning_rate = 0.2,
                                .warmup_steps = 2,
                                .steps = 10};
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 1), 0.5);
  for (std::int64_t step = 2; step <= 10; ++step) {
    EXPECT_NEAR(learning_rate_at(options, step), 1.0 - 0.1 * static_cast<double>(step - 2), 1e-15) << step;
  }
  EXPECT_EQ(last_step_of_any_length(options), 2);
}

TEST(Schedule, AConstantStays) {
  const ScheduleOptions options{.shape = ScheduleShape::constant, .learning_rate = 0.5, .warmup_steps = 2, .steps = 10};
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 1), 0.25);
  for (const std::int64_t step : {2, 5, 10, 11}) EXPECT_EQ(learning_rate_at(options, step), 0.5) << step;
  EXPECT_GT(last_step_of_any_length(options), std::int64_t{1} << 60);
}

TEST(Schedule, WarmupStableDecayFallsAtTheEndOnly) {
  const ScheduleOptions options{.shape = ScheduleShape::warmup_stable_decay,
                                .learning_rate = 1.0,
                                .minimum_learning_rate = 0.1,
                                .warmup_steps = 4,
                                .decay_steps = 16,
                                .steps = 40};
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 1), 0.25);
  for (std::int64_t step = 4; step <= 24; ++step) EXPECT_EQ(learning_rate_at(options, step), 1.0) << step;
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 25), 0.1 + 0.9 * (1 - 0.25));  // sqrt(1 / 16)
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 28), 0.1 + 0.9 * (1 - 0.5));
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 33), 0.1 + 0.9 * (1 - 0.75));
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 40), 0.1);
  EXPECT_EQ(last_step_of_any_length(options), 24);
}

TEST(Schedule, StepsOfAnyLengthHaveTheSameRateInALongerRun) {
  for (const ScheduleShape shape :
       {ScheduleShape::cosine, ScheduleShape::linear, ScheduleShape::constant, ScheduleShape::warmup_stable_decay}) {
    const ScheduleOptions shorter{.shape = shape,
                                  .learning_rate = 1.0,
                                  .minimum_learning_rate = 0.1,
                                  .warmup_steps = 4,
                                  .decay_steps = shape == ScheduleShape::warmup_stable_decay ? 10 : 0,
                                  .steps = 30};
    ScheduleOptions longer = shorter;
    longer.steps = 50;
    for (std::int64_t step = 1; step <= 30; ++step) {
      EXPECT_EQ(learning_rate_at(shorter, step) == learning_rate_at(longer, step),
                step <= last_step_of_any_length(shorter))
          << "step " << step << " of shape " << static_cast<int>(shape);
    }
  }
}

TEST(Schedule, AgreesWithTheOracle) {
  for (const std::int64_t warmup : {0, 1, 7}) {
    const ScheduleOptions options{
        .learning_rate = 6e-4, .minimum_learning_rate = 6e-5, .warmup_steps = warmup, .steps = 50};
    const tests::oracle::OptimizerSettings settings{
        .peak_learning_rate = 6e-4, .minimum_learning_rate = 6e-5, .warmup_steps = warmup, .steps = 50};
    for (std::int64_t step = 1; step <= 50; ++step) {
      EXPECT_NEAR(learning_rate_at(options, step), tests::oracle::learning_rate(settings, step), 1e-15);
    }
  }
}

TEST(Schedule, WarmupMayBeTheWholeRun) {
  const ScheduleOptions options{.learning_rate = 1.0, .minimum_learning_rate = 0.1, .warmup_steps = 10, .steps = 10};
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 10), 1.0);
}

}  // namespace
}  // namespace chainrule::model::optimizer

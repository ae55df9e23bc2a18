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

// Batch sizes against a loop over steps as Megatron-LM's --rampup-batch-size goes.
#include "pipeline/windows/batch_sizes.h"

#include <gtest/gtest.h>

#include <vector>

namespace chainrule::pipeline::windows {
namespace {

/// The size of each of the first steps.
std::vector<std::int64_t> sizes_by_loop(std::int64_t whole, const BatchRamp& ramp, int steps) {
  std::vector<std::int64_t> sizes;
  std::int64_t consumed = 0;
  const std::int64_t increments = (whole - ramp.start) / ramp.increment;
  for (int step = 0; step < steps; ++step) {
    const std::int64_t due = consumed * increments / ramp.samples;
    sizes.push_back(consumed >= ramp.samples ? whole : ramp.start + due * ramp.increment);
    consumed += sizes.back();
  }
  return sizes;
}

TEST(BatchSizes, AreThoseOfTheLoop) {
  constexpr int kSteps = 400;
  const std::vector<std::pair<std::int64_t, BatchRamp>> cases = {
      {16, {4, 4, 100}},  {16, {2, 2, 1000}}, {16, {15, 1, 7}}, {64, {2, 2, 1}},     {64, {1, 1, 64}},
      {30, {10, 5, 333}}, {64, {4, 12, 999}}, {8, {4, 4, 8}},   {100, {1, 3, 1000}}, {7, {1, 2, 1000000}}};
  for (const auto& [whole, ramp] : cases) {
    SCOPED_TRACE(testing::Message() << whole << ": " << ramp.start << ':' << ramp.increment << ':' << ramp.samples);
    const BatchSizes batches(whole, ramp);
    std::uint64_t samples = 0;
    std::int64_t step = 0;
    for (const std::int64_t size : sizes_by_loop(whole, ramp, kSteps)) {
      ASSERT_EQ(batches.of_steps(step), samples);
      ASSERT_EQ(batches.steps_with(samples), step);
      ASSERT_EQ(batches.steps_with(samples + 1), step + 1);
      ++step;
      ASSERT_EQ(batches.of_step(step), size) << "step " << step;
      samples += static_cast<std::uint64_t>(size);
      ASSERT_EQ(batches.steps_with(samples), step);
    }
    EXPECT_EQ(batches.all().back(), whole);
    EXPECT_EQ(batches.all().front(), batches.of_step(1));
  }
}

TEST(BatchSizes, WithoutARampAreTheWholeOne) {
  const BatchSizes batches(12);
  EXPECT_EQ(batches.of_step(1), 12);
  EXPECT_EQ(batches.of_step(1'000'000'000), 12);
  EXPECT_EQ(batches.of_steps(5), 60U);
  EXPECT_EQ(batches.steps_with(61), 6);
  EXPECT_EQ(batches.all(), std::vector<std::int64_t>{12});
}

TEST(BatchSizes, LongRampsDoNotOverflow) {
  const BatchSizes batches(20'000, BatchRamp{2, 2, 4'000'000'000'000'000'000});
  EXPECT_EQ(batches.of_step(1), 2);
  EXPECT_EQ(batches.all().size(), 10'000U);
  EXPECT_GE(batches.of_steps(batches.steps_with(4'000'000'000'000'000'000)), 4'000'000'000'000'000'000U);
}

}  // namespace
}  // namespace chainrule::pipeline::windows

// Timing of operations: whose time it adds up, and that it costs nothing when off.
#include "model/ops/op_seconds.h"

#include <gtest/gtest.h>

#include "model/ops/gelu.h"
#include "model/ops/linear.h"
#include "tests/model/ops/ops_under_test.h"
#include "tests/support/values.h"

namespace chainrule::tests {
namespace {

using model::ops::OpKind;
using model::ops::OpSeconds;

/// A clock that is a second later each time it is read.
struct CountingClock {
  using duration = std::chrono::seconds;
  using time_point = std::chrono::time_point<std::chrono::steady_clock, duration>;
  static time_point now() { return time_point(duration(readings++)); }
  static inline int readings = 0;
};

TEST(OpTimer, WithoutATableReadsNoClock) {
  CountingClock::readings = 0;
  { const model::ops::OpTimer<CountingClock> timer(nullptr, OpKind::activation); }
  EXPECT_EQ(CountingClock::readings, 0);
}

TEST(OpTimer, AddsItsLifetimeToItsKindAlone) {
  CountingClock::readings = 0;
  OpSeconds table;
  for (int i = 0; i < 3; ++i) const model::ops::OpTimer<CountingClock> timer(&table, OpKind::activation);
  EXPECT_EQ(CountingClock::readings, 6);
  for (std::size_t kind = 0; kind < model::ops::kOpKinds; ++kind) {
    const bool timed = kind == static_cast<std::size_t>(OpKind::activation);
    EXPECT_EQ(table[static_cast<OpKind>(kind)], timed ? 3.0 : 0.0) << kind;
  }
}

class OpsTiming : public testing::TestWithParam<OpsUnderTest> {};

INSTANTIATE_TEST_SUITE_P(Ops, OpsTiming, testing::Values(kReferenceOps, kFastOps),
                         [](const auto& test) { return test.param.name; });

TEST_P(OpsTiming, ChangesNoBitAndStopsWhereItIsTurnedOff) {
  const auto ops = GetParam().make();
  const std::vector<float> x = normal_values(1, 64 * 48, 1.0);
  const std::vector<float> weight = normal_values(2, 32 * 48, 0.3);
  const auto product = [&] {
    std::vector<float> output(64 * 32);
    ops->run(model::ops::LinearForward{.rows = 64,
                                       .in = 48,
                                       .out = 32,
                                       .x = x.data(),
                                       .weight = weight.data(),
                                       .output = output.data(),
                                       .output_stride = 32});
    return output;
  };
  const std::vector<float> expected = product();
  OpSeconds table;
  ops->add_seconds_to(&table);
  EXPECT_EQ(product(), expected);
  const double taken = table[OpKind::linear_forward];
  EXPECT_GT(taken, 0.0);
  EXPECT_EQ(table[OpKind::linear_backward_input], 0.0);
  ops->add_seconds_to(nullptr);
  EXPECT_EQ(product(), expected);
  EXPECT_EQ(table[OpKind::linear_forward], taken);
}

}  // namespace
}  // namespace chainrule::tests

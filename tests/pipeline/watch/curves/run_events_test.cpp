#include "pipeline/watch/curves/run_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chainrule::pipeline::watch::curves {
namespace {

TEST(RunEvents, KeepsTheFirstAndTheLastOfEachKind) {
  RunEvents events;
  for (int step = 1; step <= 1000; ++step) {
    events.add({EventKind::checkpoint, step, {}, {}, {}});
    events.add({EventKind::skipped, step, {}, {}, {}});
  }
  EXPECT_EQ(events.count(EventKind::checkpoint), 1000);
  std::int64_t checkpoints = 0;
  for (const RunEvent& event : events.in_order()) checkpoints += event.kind == EventKind::checkpoint ? 1 : 0;
  EXPECT_EQ(checkpoints + events.left_out(EventKind::checkpoint), 1000);
  EXPECT_LT(checkpoints, 10);
  EXPECT_EQ(events.in_order().front().step, 1);
  EXPECT_EQ(events.in_order().back().step, 1000);
  EXPECT_EQ(events.left_out(EventKind::stop), 0);
}

TEST(RunEvents, AreInOrderOfSteps) {
  RunEvents events;
  events.add({EventKind::start, 0, "first", {}, {}});
  events.add({EventKind::start, 4, "second", {}, {}});
  events.add({EventKind::checkpoint, 4, {}, {}, {}});
  events.add({EventKind::skipped, 3, {}, {}, {}});
  std::vector<std::pair<std::int64_t, EventKind>> order;
  for (const RunEvent& event : events.in_order()) order.emplace_back(event.step, event.kind);
  using testing::Pair;
  EXPECT_THAT(order, testing::ElementsAre(Pair(0, EventKind::start), Pair(3, EventKind::skipped),
                                          Pair(4, EventKind::checkpoint), Pair(4, EventKind::start)));
}

}  // namespace
}  // namespace chainrule::pipeline::watch::curves

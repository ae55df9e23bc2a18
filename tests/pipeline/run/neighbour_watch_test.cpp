#include "pipeline/run/neighbour_watch.h"

#include <gtest/gtest.h>

namespace chainrule::pipeline::run {
namespace {

constexpr std::int64_t kSilence = 10;

SignOfLife sign(std::int64_t advances, Activity::Phase phase = Activity::Phase::step, bool waits = false) {
  return {.count = 1, .activity = {.phase = phase, .step = 1, .advances = advances}, .waits = waits ? 1 : 0};
}

/// Looks after which something is wrong, where each look comes with the same sign; at most 10,000.
std::int64_t looks_until_wrong(NeighbourWatch& watch, const SignOfLife& same) {
  for (std::int64_t looks = 1; looks <= 10'000; ++looks) {
    watch.saw(same);
    if (!watch.look().empty()) return looks;
  }
  return 0;
}

TEST(NeighbourWatch, NoSignsAreTooFewAfterAWhile) {
  NeighbourWatch watch(kSilence);
  for (std::int64_t looks = 1; looks < kSilence; ++looks) EXPECT_EQ(watch.look(), "");
  EXPECT_EQ(watch.look(), "gives no sign of life");
  NeighbourWatch seen(kSilence);
  for (int i = 0; i < 100; ++i) {
    seen.saw(sign(0, Activity::Phase::saving));
    for (std::int64_t looks = 1; looks < kSilence; ++looks) EXPECT_EQ(seen.look(), "");
  }
}

TEST(NeighbourWatch, AStepMayTakeTenTimesAsLongAsItHas) {
  NeighbourWatch watch(kSilence);
  watch.saw(sign(1));
  for (int look = 0; look < 7; ++look) {
    watch.saw(sign(1));
    EXPECT_EQ(watch.look(), "");
  }
  EXPECT_EQ(looks_until_wrong(watch, sign(2)), 70);
  EXPECT_EQ(watch.look(), "does not come on");
}

TEST(NeighbourWatch, AFirstStepMayTakeAnyTime) {
  NeighbourWatch watch(kSilence);
  EXPECT_EQ(looks_until_wrong(watch, sign(1)), 0);
}

TEST(NeighbourWatch, WhoeverWaitsOrSavesIsNotToBlame) {
  for (const SignOfLife& same :
       {sign(3, Activity::Phase::step, true), sign(3, Activity::Phase::saving), sign(3, Activity::Phase::validation),
        sign(3, Activity::Phase::checkpoint), sign(3, Activity::Phase::start)}) {
    NeighbourWatch watch(kSilence);
    watch.saw(sign(1));
    watch.look();
    watch.saw(sign(2));
    EXPECT_EQ(looks_until_wrong(watch, same), 0);
  }
}

TEST(NeighbourWatch, WhoeverHasWaitedBeginsAnew) {
  NeighbourWatch watch(kSilence);
  watch.saw(sign(1));
  watch.look();
  watch.saw(sign(2));
  for (int look = 0; look < 100; ++look) {
    watch.saw(sign(2, Activity::Phase::step, true));
    EXPECT_EQ(watch.look(), "");
  }
  EXPECT_EQ(looks_until_wrong(watch, sign(2)), kSilence - 1);  // one look was the last waiting one's
}

TEST(NeighbourWatch, FilesMayStandStillForLonger) {
  for (const Activity::Phase phase : {Activity::Phase::reading, Activity::Phase::files}) {
    NeighbourWatch watch(kSilence);
    watch.saw(sign(1));
    watch.look();
    watch.saw(sign(2));
    EXPECT_EQ(looks_until_wrong(watch, sign(3, phase)), 15 * kSilence);
  }
}

TEST(NeighbourWatch, WhoeverHasEndedIsWatchedNoMore) {
  NeighbourWatch watch(kSilence);
  SignOfLife farewell;
  watch.saw(farewell);
  EXPECT_TRUE(watch.ended());
  for (int look = 0; look < 1000; ++look) EXPECT_EQ(watch.look(), "");
}

}  // namespace
}  // namespace chainrule::pipeline::run

#include "pipeline/run/duration.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace chainrule::pipeline::run {
namespace {

TEST(Duration, ReadsTheFormsOfBatchSystems) {
  EXPECT_EQ(parse_duration("90"), 90 * 60);
  EXPECT_EQ(parse_duration("90:30"), 90 * 60 + 30);
  EXPECT_EQ(parse_duration("0:05"), 5);
  EXPECT_EQ(parse_duration("1:02:03"), 3723);
  EXPECT_EQ(parse_duration("1-12"), 36 * 3600);
  EXPECT_EQ(parse_duration("1-12:30"), 36 * 3600 + 30 * 60);
  EXPECT_EQ(parse_duration("2-00:00:01"), 48 * 3600 + 1);
}

TEST(Duration, RefusesTheRest) {
  for (const char* text : {"", "0", "0:00", "x", "1:", ":1", "1:2:3:4", "1-", "-1", "1-2:3:4:5", "1.5", " 1", "1h",
                           "99999999999999999999"}) {
    EXPECT_THROW(parse_duration(text), std::invalid_argument) << text;
  }
}

}  // namespace
}  // namespace chainrule::pipeline::run

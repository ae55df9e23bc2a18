// Where gathered parts lie, for sizes beyond MPI's int: arithmetic only.
#include "pipeline/comm/gather_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace chainrule::pipeline::comm {
namespace {

TEST(GatherLayout, CountsBytesWhereTheyCanBeCounted) {
  const GatherLayout layout(std::vector<std::size_t>{3, 0, 8});
  EXPECT_EQ(layout.unit_bytes, 1U);
  EXPECT_THAT(layout.counts, testing::ElementsAre(3, 0, 8));
  EXPECT_THAT(layout.offsets, testing::ElementsAre(0, 3, 3));
}

TEST(GatherLayout, CountsTheTokensOf4096RanksInPartsOfTheirOwnSize) {
  const std::size_t part = 4 * (131'072 + 1);
  const GatherLayout layout(std::vector<std::size_t>(4096, part));
  EXPECT_EQ(layout.unit_bytes, part);
  EXPECT_EQ(layout.offsets.back(), 4095);
  EXPECT_EQ(layout.counts.back(), 1);
}

TEST(GatherLayout, TakesTheLargestUnitOfUnequalParts) {
  const GatherLayout layout(std::vector<std::size_t>{std::size_t{3} << 30U, std::size_t{2} << 30U});
  EXPECT_EQ(layout.unit_bytes, std::size_t{1} << 30U);
  EXPECT_THAT(layout.counts, testing::ElementsAre(3, 2));
  EXPECT_THAT(layout.offsets, testing::ElementsAre(0, 3));
}

TEST(GatherLayout, RefusesWhatNoUnitCanCount) {
  EXPECT_THROW(GatherLayout(std::vector<std::size_t>{(std::size_t{1} << 31U) + 1, 7}), std::length_error);
  EXPECT_THROW(GatherLayout(std::vector<std::size_t>{std::size_t{1} << 32U}), std::length_error);
}

}  // namespace
}  // namespace chainrule::pipeline::comm

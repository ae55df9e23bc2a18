#include "pipeline/pretrain/exchange/arena_ranges.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "model/shape/config.h"
#include "pipeline/pretrain/exchange/parameter_rows.h"

namespace chainrule::pipeline::pretrain::exchange {
namespace {

model::shape::Config shape() {
  model::shape::Config config;
  config.layers = 1;
  config.heads = 2;
  config.width = 104;
  config.feed_forward_width = 416;
  config.vocabulary_size = 900;
  config.sequence_length = 16;
  return config;
}

TEST(ArenaRanges, AreCutAndMet) {
  const ArenaRanges left = {{0, 5}, {7, 9}, {20, 30}};
  EXPECT_EQ(common_part(left, {{3, 8}, {9, 20}, {22, 23}, {29, 40}}),
            (ArenaRanges{{3, 5}, {7, 8}, {22, 23}, {29, 30}}));
  EXPECT_EQ(common_part(left, {}), ArenaRanges());
  EXPECT_EQ(without({2, 25}, left), (ArenaRanges{{5, 7}, {9, 20}}));
  EXPECT_EQ(without({8, 32}, left), (ArenaRanges{{9, 20}, {30, 32}}));
  EXPECT_EQ(without({5, 7}, left), (ArenaRanges{{5, 7}}));
  EXPECT_EQ(without({21, 22}, left), ArenaRanges());
  EXPECT_EQ(elements_of(left), 17);
}

TEST(ParameterRows, OfIndicesInAnyOrder) {
  const model::shape::ParameterTable table(shape());
  const ParameterRows rows(table, table.find("token_embedding.weight"));
  const std::int64_t begin = table.find("token_embedding.weight").offset;
  EXPECT_EQ(rows.all(), (model::shape::ParameterRange{begin, begin + 93600}));
  EXPECT_EQ(rows.with_padding(), (model::shape::ParameterRange{begin, table.arena_size()}));
  const std::vector<std::uint32_t> tokens = {899, 4, 3, 4, 0};
  EXPECT_EQ(rows.of(tokens),
            (ArenaRanges{{begin, begin + 104}, {begin + 312, begin + 520}, {begin + 93496, begin + 93600}}));
}

TEST(ParameterRows, PaddingEndsAtTheNextParameter) {
  model::shape::Config config = shape();
  config.sequence_length = 17;
  config.width = 105;
  config.heads = 1;
  const model::shape::ParameterTable table(config);
  const model::shape::Parameter& matrix = table.find("position_embedding.weight");
  const ParameterRows rows(table, matrix);
  EXPECT_EQ(rows.all(), matrix.range());
  EXPECT_EQ(rows.with_padding().end, table.find("token_embedding.weight").offset);
  EXPECT_GT(rows.with_padding().end, rows.all().end);
}

}  // namespace
}  // namespace chainrule::pipeline::pretrain::exchange

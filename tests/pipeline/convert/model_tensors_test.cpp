// Tensors of another system, read from weights wherever they lie: the values are those of the map.
#include "pipeline/convert/model_tensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstring>

#include "io/error.h"
#include "pipeline/models/parameter_values.h"

namespace chainrule::pipeline::convert {
namespace {

using model::shape::Config;
using model::shape::Parameter;
using model::shape::ParameterTable;
using model::weights::Encoding;
using model::weights::StoredMatrix;
using models::external::TensorMap;

Config small() {
  Config config;
  config.layers = 1;
  config.heads = 2;
  config.width = 64;
  config.feed_forward_width = 96;
  config.vocabulary_size = 5;
  config.sequence_length = 3;
  return config;
}

/// Each element of an arena is its own place in it.
std::vector<float> numbered(const ParameterTable& table) {
  std::vector<float> arena(static_cast<std::size_t>(table.arena_size()));
  for (std::size_t i = 0; i < arena.size(); ++i) arena[i] = static_cast<float>(i);
  return arena;
}

std::vector<float> read(const ModelTensors& tensors, const std::string& name, std::int64_t first, std::size_t count) {
  std::vector<float> values(count);
  tensors.read(name, first, values);
  return values;
}

const char* const kProduct = "layers.0.attention.query_key_value.weight";

TEST(ModelTensorsTest, PiecesOfAParameterInOrderAndTransposed) {
  const ParameterTable table(small());
  const std::vector<float> arena = numbered(table);
  TensorMap map = own_map(table);
  map[kProduct] = {{"q", 64}, {"k", 64, true}, {"v", 64}};
  const ModelTensors tensors(arena, table, map);
  const Parameter& product = table.find(kProduct);
  const auto at = [&](std::int64_t row, std::int64_t column) {
    return static_cast<float>(product.offset + row * 64 + column);
  };
  EXPECT_EQ(tensors.shape("k"), (std::vector<std::int64_t>{64, 64}));
  EXPECT_THAT(read(tensors, "v", 3, 64), testing::Contains(at(131, 0)).Times(1));
  EXPECT_EQ(read(tensors, "v", 3, 128)[65], at(132, 1));
  const std::vector<float> turned = read(tensors, "k", 2, 128);  // columns 2 and 3 of rows 64 to 127
  EXPECT_EQ(turned[0], at(64, 2));
  EXPECT_EQ(turned[63], at(127, 2));
  EXPECT_EQ(turned[64 + 5], at(69, 3));
  EXPECT_EQ(read(tensors, "layers.0.attention.query_key_value.bias", 7, 2)[1],
            static_cast<float>(table.find("layers.0.attention.query_key_value.bias").offset + 8));
  EXPECT_THROW(static_cast<void>(tensors.shape("w")), io::Error);
}

/// The product stored in three parts, by rows or transposed, with heads' halves alternating or not.
TEST(ModelTensorsTest, StoredPartsAreReadInOurOrder) {
  const ParameterTable table(small());
  const Parameter& product = table.find(kProduct);
  std::vector<float> ours(3 * 64 * 64);
  for (std::size_t i = 0; i < ours.size(); ++i) ours[i] = static_cast<float>(i % 8191) - 4000;
  std::vector<float> first(64 * 64);
  std::vector<float> second(64 * 64);
  for (std::size_t row = 0; row < 64; ++row) {
    for (std::size_t column = 0; column < 64; ++column) {
      // Heads of 32: row i of the first half lies at 2 i, row 16 + i at 2 i + 1.
      const std::size_t in_head = row % 32;
      const std::size_t stored = row - in_head + 2 * (in_head % 16) + in_head / 16;
      first[stored * 64 + column] = ours[row * 64 + column];
      second[column * 64 + row] = ours[(64 + row) * 64 + column];
    }
  }
  const auto bytes = [](const float* values) { return reinterpret_cast<const std::byte*>(values); };
  model::weights::StoredWeights stored;
  stored.put_matrix(product.offset, {{.rows = 64, .columns = 64, .data = bytes(first.data()), .alternating = 32},
                                     {.rows = 64, .columns = 64, .data = bytes(second.data()), .transposed = true},
                                     {.rows = 64, .columns = 64, .data = bytes(ours.data() + 2 * 64 * 64)}});
  for (const models::Section& section :
       {models::whole(product), models::Section{60, 9, 0, 64}, models::Section{120, 70, 5, 3},
        models::Section{0, 192, 63, 1}, models::Section{191, 1, 0, 64}}) {
    std::vector<float> values(static_cast<std::size_t>(section.rows * section.columns));
    models::read_section(stored, product, section, values.data());
    for (std::int64_t row = 0; row < section.rows; ++row) {
      for (std::int64_t column = 0; column < section.columns; ++column) {
        ASSERT_EQ(values[static_cast<std::size_t>(row * section.columns + column)],
                  ours[static_cast<std::size_t>((section.first_row + row) * 64 + section.first_column + column)])
            << section.first_row << " " << section.first_column << " " << row << " " << column;
      }
    }
  }
}

TEST(ModelTensorsTest, EncodingsInBlocksAreReadFromAnyColumn) {
  const ParameterTable table(small());
  const Parameter& down = table.find("layers.0.feed_forward.down.weight");  // [64, 96]
  constexpr std::size_t kBlock = 34;
  std::vector<std::byte> data(64 * 3 * kBlock);
  for (std::size_t block = 0; block < 64 * 3; ++block) {
    const std::uint16_t half = 0x3800;  // 0.5
    std::memcpy(data.data() + block * kBlock, &half, sizeof half);
    for (std::size_t i = 0; i < 32; ++i) data[block * kBlock + 2 + i] = static_cast<std::byte>((block * 7 + i) % 100);
  }
  model::weights::StoredWeights stored;
  stored.put_matrix(down.offset, {{.encoding = Encoding::q8_0, .rows = 64, .columns = 96, .data = data.data()}});
  const auto element = [](std::size_t row, std::size_t column) {
    const std::size_t block = row * 3 + column / 32;
    return 0.5F * static_cast<float>((block * 7 + column % 32) % 100);
  };
  TensorMap map = own_map(table);
  map["layers.0.feed_forward.down.weight"] = {{"turned", 64, true}};
  const ModelTensors tensors(stored, table, map);
  for (const std::int64_t first : {0, 31, 32, 45, 94}) {
    const std::vector<float> values = read(tensors, "turned", first, 2 * 64);
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(values[i], element(i % 64, static_cast<std::size_t>(first) + i / 64)) << first << " " << i;
    }
  }
}

}  // namespace
}  // namespace chainrule::pipeline::convert

// Numbers as files encode them against their definitions, and the fast decoding against the plain one.
#include "model/weights/encoding.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "model/weights/half.h"
#include "model/weights/stored_matrix.h"
#include "tests/support/encoded_values.h"

namespace chainrule::tests {
namespace {

using model::weights::Encoding;
using testing::ElementsAre;

/// A float16 by its definition: 1 + 5 + 10 bits.
double half_by_definition(std::uint16_t half) {
  const int exponent = half >> 10 & 31;
  const double fraction = half & 1023;
  const double sign = (half & 0x8000) != 0 ? -1 : 1;
  if (exponent == 31) return fraction == 0 ? sign * INFINITY : NAN;
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

TEST(Half, EveryNumberIsExact) {
  for (int each = 0; each < 65'536; ++each) {
    const auto half = static_cast<std::uint16_t>(each);
    const double expected = half_by_definition(half);
    const double actual = model::weights::half_to_float(half);
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(actual)) << each;
    } else {
      ASSERT_EQ(actual, expected) << each;
      ASSERT_EQ(std::signbit(actual), std::signbit(expected)) << each;
    }
  }
}

/// A block: float16 numbers, then bytes.
std::vector<std::byte> block(std::initializer_list<std::uint16_t> halves, std::initializer_list<int> codes,
                             std::size_t bytes) {
  std::vector<std::byte> result(bytes, std::byte{0});
  std::size_t at = 0;
  for (const std::uint16_t half : halves) {
    std::memcpy(result.data() + at, &half, 2);
    at += 2;
  }
  for (const int code : codes) result[at++] = static_cast<std::byte>(code);
  return result;
}

TEST(Encoding, BlocksAreWhatGgmlSays) {
  // 0x3800 is 0.5, 0xC000 is -2.
  const std::vector<float> q8 = decoded(Encoding::q8_0, block({0x3800}, {4, -4, 127, -128}, 34), 32);
  EXPECT_THAT(std::vector<float>(q8.begin(), q8.begin() + 5), ElementsAre(2, -2, 63.5, -64, 0));
  const std::vector<float> q4 = decoded(Encoding::q4_0, block({0x3800}, {0x1F, 0x80}, 18), 32);
  EXPECT_EQ(q4[0], 3.5F);    // low half 15
  EXPECT_EQ(q4[16], -3.5F);  // high half 1
  EXPECT_EQ(q4[1], -4.0F);
  EXPECT_EQ(q4[17], 0.0F);
  const std::vector<float> q41 = decoded(Encoding::q4_1, block({0x3800, 0xC000}, {0x1F}, 20), 32);
  EXPECT_EQ(q41[0], 5.5F);
  EXPECT_EQ(q41[16], -1.5F);
  EXPECT_EQ(q41[1], -2.0F);
}

class EachEncoding : public testing::TestWithParam<Encoding> {};

INSTANTIATE_TEST_SUITE_P(All, EachEncoding,
                         testing::Values(Encoding::f32, Encoding::f16, Encoding::bf16, Encoding::q8_0, Encoding::q4_0,
                                         Encoding::q4_1));

TEST_P(EachEncoding, DecodesAsThePlainLoopDoesFromAnyBlockOn) {
  constexpr std::int64_t kElements = 32 * 9;
  const std::vector<std::byte> bytes = random_encoded(GetParam(), kElements, 3);
  ASSERT_EQ(static_cast<std::int64_t>(bytes.size()), model::weights::encoded_bytes(GetParam(), kElements));
  const std::vector<float> all = decoded(GetParam(), bytes, kElements);
  EXPECT_GT(*std::max_element(all.begin(), all.end()), 0.01F);
  for (const std::int64_t first : {0, 32, 96}) {
    for (const std::int64_t count : {1, 16, 31, 32, 100}) {
      std::vector<float> part(count + 1, 7.0F);
      model::weights::decode(GetParam(), bytes.data(), first, count, part.data());
      for (std::int64_t i = 0; i < count; ++i) ASSERT_EQ(part[i], all[first + i]) << first << " " << i;
      ASSERT_EQ(part[count], 7.0F);
    }
  }
}

TEST(StoredMatrix, PutsRowsOfAlternatingHalvesInOrder) {
  // Two heads of width 4: stored rows of a head are channels 0, 2, 1, 3.
  const std::vector<float> stored = {0, 2, 1, 3, 10, 12, 11, 13};
  const model::weights::StoredMatrix matrix{.encoding = Encoding::f32,
                                            .rows = 8,
                                            .columns = 1,
                                            .data = reinterpret_cast<const std::byte*>(stored.data()),
                                            .alternating = 4};
  std::vector<float> rows(8);
  matrix.decode_rows(0, 8, 0, 1, rows.data(), 1);
  EXPECT_THAT(rows, ElementsAre(0, 1, 2, 3, 10, 11, 12, 13));
  EXPECT_EQ(matrix.in_place(), nullptr);
}

}  // namespace
}  // namespace chainrule::tests

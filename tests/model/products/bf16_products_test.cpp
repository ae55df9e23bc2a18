// bfloat16 products: factors rounded to nearest, ties to even, and nothing else; float32 where the processor has none.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <ostream>
#include <vector>

#include "model/products/onednn/products.h"
#include "tests/support/values.h"

namespace chainrule::tests {
namespace {

float to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) & 0xFFFF0000U);
}

struct Layout {
  bool transpose_a;
  bool transpose_b;
};

void PrintTo(const Layout& layout, std::ostream* stream) {
  *stream << (layout.transpose_a ? "gradient_of_weight" : layout.transpose_b ? "forward" : "gradient_of_input");
}

class Bf16Products : public testing::TestWithParam<Layout> {};

TEST_P(Bf16Products, RoundTheirFactorsAndSumInFloat32) {
  constexpr std::int64_t kM = 70;
  constexpr std::int64_t kN = 90;
  constexpr std::int64_t kK = 110;
  const auto [transpose_a, transpose_b] = GetParam();
  model::products::ProductShape shape{
      .m = kM, .n = kN, .k = kK, .transpose_a = transpose_a, .transpose_b = transpose_b};
  shape.a_stride = (transpose_a ? kM : kK) + 3;
  shape.b_stride = (transpose_b ? kK : kN) + 5;
  shape.c_stride = kN + 7;
  shape.biased = true;
  const std::vector<float> a = normal_values(1, (transpose_a ? kK : kM) * shape.a_stride, 1.0);
  const std::vector<float> b = normal_values(2, (transpose_b ? kN : kK) * shape.b_stride, 1.0);
  const std::vector<float> bias = normal_values(3, kN, 1.0);
  const bool rounds = model::products::onednn::rounds_factors(model::products::Math::bf16);
  const auto used = [&](float value) { return static_cast<double>(rounds ? to_bf16(value) : value); };

  model::products::onednn::Products products(model::products::Math::bf16);
  for (const bool accumulate : {false, true}) {
    shape.accumulate = accumulate;
    const std::vector<float> before = normal_values(4, kM * shape.c_stride, 1.0);
    std::vector<float> c = before;
    products.multiply(shape, a.data(), b.data(), bias.data(), c.data());
    for (std::int64_t i = 0; i < kM; ++i) {
      for (std::int64_t j = 0; j < kN; ++j) {
        const auto at = static_cast<std::size_t>(i * shape.c_stride + j);
        double expected = bias[static_cast<std::size_t>(j)] + (accumulate ? double{before[at]} : 0.0);
        for (std::int64_t p = 0; p < kK; ++p) {
          expected += used(a[static_cast<std::size_t>(transpose_a ? p * shape.a_stride + i : i * shape.a_stride + p)]) *
                      used(b[static_cast<std::size_t>(transpose_b ? j * shape.b_stride + p : p * shape.b_stride + j)]);
        }
        ASSERT_NEAR(c[at], expected, 3e-5) << "row " << i << ", column " << j;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Layouts, Bf16Products,
                         testing::Values(Layout{false, true}, Layout{false, false}, Layout{true, false}),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace chainrule::tests

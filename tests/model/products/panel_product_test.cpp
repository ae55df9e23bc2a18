// Panel products against a plain triple loop in double, over shapes that fill tiles and shapes that do not.
#include "model/products/panel_product.h"

#include <gtest/gtest.h>

#include <cstring>
#include <ostream>
#include <vector>

#include "tests/support/values.h"

namespace chainrule::model::products {
namespace {

struct Shape {
  std::int64_t m, n, k, rows_together;
  bool transposed_a, transposed_b, accumulate;
};

void PrintTo(const Shape& of, std::ostream* stream) {
  *stream << of.m << "x" << of.n << "x" << of.k << "_by_" << of.rows_together
          << (of.transposed_a ? "_transposed_a" : "") << (of.transposed_b ? "_transposed_b" : "")
          << (of.accumulate ? "_accumulating" : "");
}

class PanelProducts : public testing::TestWithParam<Shape> {};

TEST_P(PanelProducts, EqualThePlainLoop) {
  const auto [m, n, k, rows_together, transposed_a, transposed_b, accumulate] = GetParam();
  const std::int64_t a_stride = (transposed_a ? m : k) + 3;
  const std::int64_t b_stride = (transposed_b ? k : n) + 5;
  const std::int64_t c_stride = n + 7;
  const auto sized = [](std::int64_t elements) { return static_cast<std::size_t>(elements); };
  const std::vector<float> a = tests::normal_values(1, sized((transposed_a ? k : m) * a_stride), 1.0);
  const std::vector<float> b = tests::normal_values(2, sized((transposed_b ? n : k) * b_stride), 1.0);
  std::vector<float> c = tests::normal_values(3, sized(m * c_stride), 1.0);
  const std::vector<float> before = c;

  std::vector<float> panels(sized(panel_elements(k, n)));
  if (transposed_b) {
    pack_transposed_panels(b.data(), b_stride, k, n, panels.data());
  } else {
    pack_panels(b.data(), b_stride, k, n, panels.data());
  }
  PanelProduct product{.m = m,
                       .n = n,
                       .k = k,
                       .a = a.data(),
                       .a_row = transposed_a ? 1 : a_stride,
                       .a_column = transposed_a ? a_stride : 1,
                       .b = panels.data(),
                       .b_rows = k,
                       .c = c.data(),
                       .c_row = c_stride,
                       .accumulate = accumulate};
  multiply_panels(product, rows_together);

  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < c_stride; ++j) {
      const std::size_t at = sized(i * c_stride + j);
      if (j >= n) {
        ASSERT_EQ(c[at], before[at]) << "wrote behind column " << n << " of row " << i;
        continue;
      }
      double expected = accumulate ? before[at] : 0.0;
      for (std::int64_t p = 0; p < k; ++p) {
        expected += double{a[sized(transposed_a ? p * a_stride + i : i * a_stride + p)]} *
                    double{b[sized(transposed_b ? j * b_stride + p : p * b_stride + j)]};
      }
      ASSERT_NEAR(c[at], expected, 2e-5) << "row " << i << ", column " << j;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, PanelProducts,
                         testing::Values(Shape{12, 16, 64, 6, false, false, false},
                                         Shape{12, 16, 64, 12, false, true, true},
                                         Shape{23, 40, 17, 6, false, true, false},
                                         Shape{23, 40, 17, 12, true, false, true}, Shape{5, 3, 9, 6, true, true, true},
                                         Shape{1, 1, 1, 12, false, false, false},
                                         Shape{35, 33, 100, 12, true, true, false}),
                         testing::PrintToStringParamName());

// A row has the same bits alone and among others: what attention's blocks rest on.
TEST(PanelProducts, BitsDoNotDependOnTheRowsBeside) {
  constexpr std::int64_t kRows = 29;
  constexpr std::int64_t kColumns = 16;
  constexpr std::int64_t kInner = 50;
  const std::vector<float> a = tests::normal_values(4, kRows * kInner, 1.0);
  const std::vector<float> b = tests::normal_values(5, kInner * kColumns, 1.0);
  std::vector<float> together(kRows * kColumns);
  std::vector<float> alone(together.size());
  PanelProduct product{.m = kRows,
                       .n = kColumns,
                       .k = kInner,
                       .a = a.data(),
                       .a_row = kInner,
                       .b = b.data(),
                       .b_rows = kInner,
                       .c = together.data(),
                       .c_row = kColumns};
  multiply_panels(product);
  product.m = 1;
  for (std::int64_t row = 0; row < kRows; ++row) {
    product.a = a.data() + row * kInner;
    product.c = alone.data() + row * kColumns;
    multiply_panels(product);
  }
  EXPECT_EQ(std::memcmp(together.data(), alone.data(), together.size() * sizeof(float)), 0);
}

}  // namespace
}  // namespace chainrule::model::products

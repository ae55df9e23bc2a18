// Blocked products against a plain loop in double, over shapes that fill tiles, panels, blocks of k and slices of rows
// and shapes that do not; and what their bits may not depend on.
#include "model/products/blocked_products.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <ostream>
#include <tuple>
#include <vector>

#include "model/simd/instruction_sets.h"
#include "tests/support/values.h"

namespace chainrule::model::products {

void PrintTo(const ProductShape& of, std::ostream* stream) {
  *stream << of.m << "x" << of.n << "x" << of.k << (of.transpose_a ? "_transposed_a" : "")
          << (of.transpose_b ? "_transposed_b" : "") << (of.biased ? "_biased" : "")
          << (of.accumulate ? "_accumulating" : "");
}

void PrintTo(const ProductKernel* kernel, std::ostream* stream) {
  *stream << (kernel == &kAvx512Kernel ? "avx512" : "avx2");
}

namespace {

std::size_t sized(std::int64_t elements) { return static_cast<std::size_t>(elements); }

struct Threads {
  explicit Threads(int count) : before(omp_get_max_threads()) { omp_set_num_threads(count); }
  ~Threads() { omp_set_num_threads(before); }
  int before;
};

/// A product with its factors; rows of every matrix are longer than they need to be.
struct Case {
  explicit Case(const ProductShape& of) : shape(of) {
    shape.a_stride = (shape.transpose_a ? shape.m : shape.k) + 3;
    shape.b_stride = (shape.transpose_b ? shape.k : shape.n) + 5;
    shape.c_stride = shape.n + 7;
    a = tests::normal_values(1, sized((shape.transpose_a ? shape.k : shape.m) * shape.a_stride), 1.0);
    b = tests::normal_values(2, sized((shape.transpose_b ? shape.n : shape.k) * shape.b_stride), 1.0);
    bias = tests::normal_values(3, sized(shape.n), 1.0);
    before = tests::normal_values(4, sized(shape.m * shape.c_stride), 1.0);
  }
  std::vector<float> multiply(const ProductKernel& kernel, int threads) const {
    const Threads set(threads);
    std::vector<float> c = before;
    BlockedProducts(kernel).multiply(shape, a.data(), b.data(), shape.biased ? bias.data() : nullptr, c.data());
    return c;
  }
  double left(std::int64_t i, std::int64_t p) const {
    return a[sized(shape.transpose_a ? p * shape.a_stride + i : i * shape.a_stride + p)];
  }
  double right(std::int64_t p, std::int64_t j) const {
    return b[sized(shape.transpose_b ? j * shape.b_stride + p : p * shape.b_stride + j)];
  }

  ProductShape shape;
  std::vector<float> a, b, bias, before;
};

bool runs_here(const ProductKernel& kernel) {
  return &kernel == &kAvx512Kernel ? simd::processor_has_avx512() : simd::processor_has_avx2();
}

class BlockedProductsOf : public testing::TestWithParam<std::tuple<const ProductKernel*, ProductShape>> {
 protected:
  void SetUp() override {
    if (!runs_here(kernel())) GTEST_SKIP() << "this processor lacks the kernel's instructions";
  }
  static const ProductKernel& kernel() { return *std::get<0>(GetParam()); }
  static const ProductShape& shape() { return std::get<1>(GetParam()); }
};

TEST_P(BlockedProductsOf, EqualThePlainLoop) {
  const Case of(shape());
  const std::vector<float> c = of.multiply(kernel(), 2);
  for (std::int64_t i = 0; i < of.shape.m; ++i) {
    for (std::int64_t j = 0; j < of.shape.c_stride; ++j) {
      const std::size_t at = sized(i * of.shape.c_stride + j);
      if (j >= of.shape.n) {
        ASSERT_EQ(c[at], of.before[at]) << "wrote behind column " << of.shape.n << " of row " << i;
        continue;
      }
      double expected = of.shape.accumulate ? of.before[at] : 0.0;
      if (of.shape.biased) expected += of.bias[sized(j)];
      double size = std::abs(expected);
      for (std::int64_t p = 0; p < of.shape.k; ++p) {
        expected += of.left(i, p) * of.right(p, j);
        size += std::abs(of.left(i, p) * of.right(p, j));
      }
      ASSERT_NEAR(c[at], expected, 2e-6 * size) << "row " << i << ", column " << j;
    }
  }
}

TEST_P(BlockedProductsOf, HaveTheSameBitsOnAnyNumberOfThreads) {
  const Case of(shape());
  const std::vector<float> alone = of.multiply(kernel(), 1);
  for (const int threads : {2, 3, 4, 6, 7}) EXPECT_EQ(of.multiply(kernel(), threads), alone) << threads << " threads";
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, BlockedProductsOf,
    testing::Combine(testing::Values(&kAvx2Kernel, &kAvx512Kernel),
                     testing::Values(ProductShape{.m = 4, .n = 24, .k = 8}, ProductShape{.m = 1, .n = 1, .k = 1},
                                     ProductShape{.m = 48, .n = 96, .k = 384, .transpose_b = true},
                                     ProductShape{.m = 37, .n = 53, .k = 29, .transpose_b = true, .biased = true},
                                     ProductShape{.m = 37, .n = 53, .k = 785, .biased = true, .accumulate = true},
                                     ProductShape{.m = 67, .n = 50, .k = 400, .transpose_a = true, .accumulate = true},
                                     ProductShape{.m = 130, .n = 7, .k = 391, .transpose_a = true, .transpose_b = true},
                                     ProductShape{.m = 3, .n = 300, .k = 12, .transpose_b = true, .accumulate = true},
                                     ProductShape{.m = 24, .n = 500, .k = 2100, .transpose_b = true},
                                     ProductShape{.m = 6200, .n = 25, .k = 13, .biased = true},
                                     ProductShape{.m = 3100, .n = 5, .k = 770, .transpose_a = true})),
    [](const auto& test) {
      return testing::PrintToString(std::get<0>(test.param)) + "_" + testing::PrintToString(std::get<1>(test.param));
    });

class BlockedProductsWith : public testing::TestWithParam<const ProductKernel*> {};

TEST_P(BlockedProductsWith, GiveARowTheSameBitsWhateverIsMultipliedBesideIt) {
  if (!runs_here(*GetParam())) GTEST_SKIP() << "this processor lacks the kernel's instructions";
  Case of({.m = 101, .n = 77, .k = 500, .transpose_b = true, .biased = true});
  const std::vector<float> all = of.multiply(*GetParam(), 2);
  of.shape.m = 6;
  of.a.erase(of.a.begin(), of.a.begin() + 41 * of.shape.a_stride);
  const std::vector<float> some = of.multiply(*GetParam(), 2);
  for (std::int64_t i = 0; i < 6; ++i) {
    for (std::int64_t j = 0; j < of.shape.n; ++j) {
      ASSERT_EQ(some[sized(i * of.shape.c_stride + j)], all[sized((41 + i) * of.shape.c_stride + j)]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, BlockedProductsWith, testing::Values(&kAvx2Kernel, &kAvx512Kernel),
                         testing::PrintToStringParamName());

TEST(BlockedProducts, SuitProductsThatReuseWhatTheyPack) {
  const Threads two(2);
  const BlockedProducts wide(kAvx512Kernel);
  EXPECT_TRUE(wide.suit({.m = 1024, .n = 3072, .k = 768}));
  EXPECT_FALSE(wide.suit({.m = 2048, .n = 128, .k = 512}));
  {
    const Threads eight(8);
    EXPECT_FALSE(wide.suit({.m = 1024, .n = 3072, .k = 768}));
  }
  EXPECT_TRUE(BlockedProducts(kAvx2Kernel).suit({.m = 2048, .n = 128, .k = 512}));
}

TEST(BlockedProducts, HaveTheSameBitsWithEveryKernelWhereOneBlockOfKIsEnough) {
  if (!runs_here(kAvx512Kernel)) GTEST_SKIP() << "this processor lacks AVX-512";
  const Case of({.m = 130, .n = 70, .k = 391, .transpose_b = true, .biased = true});
  EXPECT_EQ(of.multiply(kAvx512Kernel, 2), of.multiply(kAvx2Kernel, 2));
}

TEST(BlockedProducts, ShareAProductOutByItsShape) {
  const auto expect = [](const ThreadGrid& grid, std::int64_t down, std::int64_t across) {
    EXPECT_EQ(grid.down, down);
    EXPECT_EQ(grid.across, across);
  };
  expect(thread_grid(kAvx2Kernel, 1024, 768, 1), 1, 1);
  expect(thread_grid(kAvx2Kernel, 1024, 3072, 2), 1, 2);
  expect(thread_grid(kAvx2Kernel, 3072, 768, 2), 2, 1);
  expect(thread_grid(kAvx2Kernel, 20, 50257, 8), 1, 8);  // no thread without rows
  expect(thread_grid(kAvx2Kernel, 1024, 1024, 16), 4, 4);
}

}  // namespace
}  // namespace chainrule::model::products

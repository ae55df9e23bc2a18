// Products and look-ups with weights as files store them: every implementation of Ops against the plain one.
#include <gtest/gtest.h>

#include <tuple>

#include "model/ops/linear.h"
#include "model/ops/stored_linear.h"
#include "tests/model/ops/ops_under_test.h"
#include "tests/support/encoded_values.h"
#include "tests/support/values.h"

namespace chainrule::tests {
namespace {

using model::weights::Encoding;
using model::weights::StoredMatrix;

struct Case {
  std::string name;
  Encoding encoding;
  bool transposed = false;
  std::int64_t alternating = 0;
};

void PrintTo(const Case& tested, std::ostream* stream) { *stream << tested.name; }

constexpr std::int64_t kOut = 120;  // more than a panel, and no whole number of them
constexpr std::int64_t kIn = 1120;  // more than the depth of a block

class StoredOps : public testing::TestWithParam<std::tuple<OpsUnderTest, Case>> {
 protected:
  const Case& tested() const { return std::get<1>(GetParam()); }
  std::unique_ptr<model::ops::Ops> ops_ = std::get<0>(GetParam()).make();
  std::unique_ptr<model::ops::Ops> plain_ = model::ops::make_reference_ops();
  std::vector<std::byte> bytes_ = random_encoded(tested().encoding, kOut* kIn, 5);
  StoredMatrix weight_{.encoding = tested().encoding,
                       .rows = kOut,
                       .columns = kIn,
                       .data = bytes_.data(),
                       .transposed = tested().transposed,
                       .alternating = tested().alternating};
};

INSTANTIATE_TEST_SUITE_P(Cases, StoredOps,
                         testing::Combine(testing::Values(kFastOps, kOneDnnOps),
                                          testing::Values(Case{"f32", Encoding::f32}, Case{"f16", Encoding::f16},
                                                          Case{"bf16", Encoding::bf16}, Case{"q8_0", Encoding::q8_0},
                                                          Case{"q4_0", Encoding::q4_0}, Case{"q4_1", Encoding::q4_1},
                                                          Case{"f32_transposed", Encoding::f32, true},
                                                          Case{"bf16_transposed", Encoding::bf16, true},
                                                          Case{"f32_alternating", Encoding::f32, false, 8},
                                                          Case{"q4_1_alternating", Encoding::q4_1, false, 40})),
                         CaseName());

TEST_P(StoredOps, ProductsEqualThePlainOnes) {
  for (const std::int64_t rows : {1, 2, 7, 16, 17, 130}) {
    const std::vector<float> x = normal_values(6, rows * kIn, 1.0);
    const std::vector<float> bias = normal_values(7, kOut, 1.0);
    for (const bool accumulate : {false, true}) {
      std::vector<float> expected(rows * (kOut + 3), 0.5F);
      std::vector<float> actual = expected;
      const auto run = [&](model::ops::Ops& ops, std::vector<float>& output) {
        ops.run(model::ops::StoredLinearForward{.rows = rows,
                                                .x = x.data(),
                                                .weight = &weight_,
                                                .bias = accumulate ? nullptr : bias.data(),
                                                .output = output.data(),
                                                .output_stride = kOut + 3,
                                                .accumulate = accumulate});
      };
      run(*plain_, expected);
      run(*ops_, actual);
      ASSERT_LT(relative_l2(actual, to_double(expected)), 5e-6) << rows << " rows";
    }
  }
}

TEST_P(StoredOps, BytesMayLieAnywhere) {
  std::vector<std::byte> shifted(bytes_.size() + 1);
  std::copy(bytes_.begin(), bytes_.end(), shifted.begin() + 1);
  StoredMatrix moved = weight_;
  moved.data = shifted.data() + 1;
  const std::vector<float> x = normal_values(6, 20 * kIn, 1.0);
  std::vector<float> expected(20 * kOut);
  std::vector<float> actual(20 * kOut);
  for (const auto& [weight, output] : {std::pair{&weight_, &expected}, std::pair{&moved, &actual}}) {
    ops_->run(model::ops::StoredLinearForward{
        .rows = 20, .x = x.data(), .weight = weight, .output = output->data(), .output_stride = kOut});
  }
  EXPECT_LT(relative_l2(actual, to_double(expected)), 1e-6);
}

TEST_P(StoredOps, LooksUpRowsAndAddsPositions) {
  if (tested().transposed) weight_.transposed = false;  // an embedding never is
  const std::vector<std::uint32_t> tokens = random_ids(8, 9, kOut);
  const std::vector<std::int64_t> positions = {0, 1, 2, 0, 1, 2, 3, 4, 5};
  const std::vector<float> position_embedding = normal_values(9, 6 * kIn, 1.0);
  for (const bool learned : {false, true}) {
    std::vector<float> expected(9 * kIn);
    std::vector<float> actual(9 * kIn);
    for (const auto& [ops, output] : {std::pair{plain_.get(), &expected}, std::pair{ops_.get(), &actual}}) {
      ops->run(model::ops::StoredEmbeddingForward{.tokens = tokens,
                                                  .positions = positions,
                                                  .token_embedding = &weight_,
                                                  .position_embedding = learned ? position_embedding.data() : nullptr,
                                                  .output = output->data()});
    }
    EXPECT_EQ(actual, expected);
  }
}

}  // namespace
}  // namespace chainrule::tests

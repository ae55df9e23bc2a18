// The operations of a decode step: the fast ones against the reference, and both against causal attention.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "model/ops/attention.h"
#include "model/ops/attention_step.h"
#include "model/ops/embedding.h"
#include "model/ops/linear.h"
#include "model/ops/ops.h"
#include "model/products/few_rows.h"
#include "tests/support/values.h"

namespace chainrule::tests {
namespace {

using model::ops::CacheShape;
using model::ops::StepRow;

class DecodeOps : public ::testing::Test {
 protected:
  static constexpr std::int64_t kSlots = 3;
  const CacheShape shape_{{3, 3, 10}, 37};  // a head width that fills no vector
  const std::int64_t width_ = shape_.attention.query_width();
  const std::unique_ptr<model::ops::Ops> reference_ = model::ops::make_reference_ops();
  const std::unique_ptr<model::ops::Ops> fast_ = model::ops::make_fast_ops(model::products::Math::float32);
};

TEST_F(DecodeOps, CacheWriteTouchesItsPositionsAlone) {
  const std::vector<StepRow> rows = {{0, 2, 5}, {0, 0, 36}};
  const std::vector<float> qkv = normal_values(1, 2 * 3 * width_, 1.0);
  std::vector<float> expected(kSlots * shape_.slot_elements(), 7.0F);
  std::vector<float> actual = expected;
  reference_->run(
      model::ops::CacheWrite{.rows = rows, .shape = shape_, .query_key_value = qkv.data(), .cache = expected.data()});
  fast_->run(
      model::ops::CacheWrite{.rows = rows, .shape = shape_, .query_key_value = qkv.data(), .cache = actual.data()});
  EXPECT_EQ(actual, expected);
  std::int64_t written = 0;
  for (const float value : actual) written += value != 7.0F ? 1 : 0;
  EXPECT_EQ(written, 2 * 2 * width_);
  EXPECT_EQ(actual[shape_.keys(2, 1) + 5 * 10], qkv[width_ + 10]);
  EXPECT_EQ(actual[shape_.keys(2, 1) + shape_.value_offset() + 5 * 10], qkv[2 * width_ + 10]);
}

TEST_F(DecodeOps, FewerKeyHeadsAreWrittenAtTheirPlaces) {
  const CacheShape grouped{{4, 2, 10}, 5};
  const std::vector<StepRow> rows = {{0, 1, 3}};
  const std::vector<float> qkv = normal_values(1, grouped.attention.row_width(), 1.0);
  for (model::ops::Ops* ops : {reference_.get(), fast_.get()}) {
    std::vector<float> cache(2 * grouped.slot_elements(), 7.0F);
    ops->run(
        model::ops::CacheWrite{.rows = rows, .shape = grouped, .query_key_value = qkv.data(), .cache = cache.data()});
    EXPECT_EQ(std::count(cache.begin(), cache.end(), 7.0F), static_cast<std::ptrdiff_t>(cache.size()) - 2 * 20);
    EXPECT_EQ(cache[grouped.keys(1, 1) + 3 * 10], qkv[40 + 10]);
    EXPECT_EQ(cache[grouped.keys(1, 1) + grouped.value_offset() + 3 * 10], qkv[40 + 20 + 10]);
  }
}

TEST_F(DecodeOps, AWindowReadsNoPositionBeforeIt) {
  CacheShape shape{{4, 2, 10}, 37};
  shape.attention.window = 6;
  const std::vector<StepRow> rows = {{0, 0, 2}, {0, 1, 20}};
  const std::vector<float> qkv = normal_values(2, 2 * shape.attention.row_width(), 1.5);
  std::vector<float> cache = normal_values(3, 2 * shape.slot_elements(), 1.5);
  std::vector<float> expected(2 * 40);
  reference_->run(model::ops::AttentionStep{
      .rows = rows, .shape = shape, .query_key_value = qkv.data(), .cache = cache.data(), .output = expected.data()});
  for (std::int64_t head = 0; head < 2; ++head) {
    for (std::int64_t i = 0; i < 15 * 10; ++i) {
      cache[shape.keys(1, head) + i] = NAN;
      cache[shape.keys(1, head) + shape.value_offset() + i] = NAN;
    }
  }
  for (model::ops::Ops* ops : {reference_.get(), fast_.get()}) {
    std::vector<float> actual(2 * 40);
    ops->run(model::ops::AttentionStep{
        .rows = rows, .shape = shape, .query_key_value = qkv.data(), .cache = cache.data(), .output = actual.data()});
    EXPECT_LT(relative_l2(actual, to_double(expected)), 1e-6);
  }
}

TEST_F(DecodeOps, AttentionStepEqualsItsReference) {
  const std::vector<StepRow> rows = {{0, 1, 0}, {0, 2, 36}, {0, 0, 17}};
  const std::vector<float> qkv = normal_values(2, 3 * 3 * width_, 1.5);
  const std::vector<float> cache = normal_values(3, kSlots * shape_.slot_elements(), 1.5);
  std::vector<float> expected(3 * width_);
  std::vector<float> actual(3 * width_);
  reference_->run(model::ops::AttentionStep{
      .rows = rows, .shape = shape_, .query_key_value = qkv.data(), .cache = cache.data(), .output = expected.data()});
  fast_->run(model::ops::AttentionStep{
      .rows = rows, .shape = shape_, .query_key_value = qkv.data(), .cache = cache.data(), .output = actual.data()});
  EXPECT_LT(relative_l2(actual, to_double(expected)), 1e-6);
}

TEST_F(DecodeOps, SteppingThroughASequenceIsCausalAttention) {
  constexpr std::int64_t kTokens = 20;
  const std::vector<float> qkv = normal_values(4, kTokens * 3 * width_, 1.0);
  const std::vector<model::ops::Sequence> whole = {{0, kTokens}};
  std::vector<float> expected(kTokens * width_);
  std::vector<float> log_sum_exp(shape_.attention.heads * kTokens);
  reference_->run(model::ops::AttentionForward{.rows = kTokens,
                                               .shape = shape_.attention,
                                               .sequences = whole,
                                               .query_key_value = qkv.data(),
                                               .output = expected.data(),
                                               .log_sum_exp = log_sum_exp.data()});
  for (model::ops::Ops* ops : {reference_.get(), fast_.get()}) {
    std::vector<float> cache(kSlots * shape_.slot_elements(), NAN);  // what was never written must not be read
    std::vector<float> actual(kTokens * width_);
    for (std::int64_t t = 0; t < kTokens; ++t) {
      const std::vector<StepRow> row = {{0, 1, t}};
      ops->run(model::ops::CacheWrite{
          .rows = row, .shape = shape_, .query_key_value = qkv.data() + t * 3 * width_, .cache = cache.data()});
      ops->run(model::ops::AttentionStep{.rows = row,
                                         .shape = shape_,
                                         .query_key_value = qkv.data() + t * 3 * width_,
                                         .cache = cache.data(),
                                         .output = actual.data() + t * width_});
    }
    EXPECT_LT(relative_l2(actual, to_double(expected)), 1e-6);
  }
}

TEST_F(DecodeOps, EmbeddingStepAddsTokenAndPosition) {
  const std::vector<float> tokens = normal_values(5, 7 * width_, 1.0);
  const std::vector<float> positions = normal_values(6, 9 * width_, 1.0);
  const std::vector<StepRow> rows = {{6, 0, 8}, {0, 1, 3}};
  std::vector<float> expected(2 * width_);
  std::vector<float> actual(2 * width_);
  reference_->run(model::ops::EmbeddingStep{.rows = rows,
                                            .width = width_,
                                            .token_embedding = tokens.data(),
                                            .position_embedding = positions.data(),
                                            .output = expected.data()});
  fast_->run(model::ops::EmbeddingStep{.rows = rows,
                                       .width = width_,
                                       .token_embedding = tokens.data(),
                                       .position_embedding = positions.data(),
                                       .output = actual.data()});
  EXPECT_EQ(actual, expected);
  EXPECT_EQ(actual[0], tokens[6 * width_] + positions[8 * width_]);
}

TEST_F(DecodeOps, ProductsOfFewRowsEqualTheirReferenceRowByRow) {
  constexpr std::int64_t kRows = model::products::kFewRows;
  // Widths that fill no vector, outputs that fill no stream, and fewer outputs than streams.
  for (const auto& [in, out] : std::vector<std::pair<std::int64_t, std::int64_t>>{{64, 40}, {37, 51}, {5, 3}}) {
    const std::vector<float> x = normal_values(7, kRows * in, 1.0);
    const std::vector<float> weight = normal_values(8, out * in, 1.0);
    const std::vector<float> bias = normal_values(9, out, 1.0);
    for (const bool accumulate : {false, true}) {
      std::vector<float> alone(kRows * (out + 2), 0.5F);
      for (std::int64_t row = 0; row < kRows; ++row) {
        fast_->run(model::ops::LinearForward{.rows = 1,
                                             .in = in,
                                             .out = out,
                                             .x = x.data() + row * in,
                                             .weight = weight.data(),
                                             .bias = bias.data(),
                                             .output = alone.data() + row * (out + 2),
                                             .output_stride = out + 2,
                                             .accumulate = accumulate});
      }
      for (std::int64_t rows = 1; rows <= kRows; ++rows) {
        std::vector<float> expected(rows * (out + 2), 0.5F);
        std::vector<float> actual = expected;
        reference_->run(model::ops::LinearForward{.rows = rows,
                                                  .in = in,
                                                  .out = out,
                                                  .x = x.data(),
                                                  .weight = weight.data(),
                                                  .bias = bias.data(),
                                                  .output = expected.data(),
                                                  .output_stride = out + 2,
                                                  .accumulate = accumulate});
        fast_->run(model::ops::LinearForward{.rows = rows,
                                             .in = in,
                                             .out = out,
                                             .x = x.data(),
                                             .weight = weight.data(),
                                             .bias = bias.data(),
                                             .output = actual.data(),
                                             .output_stride = out + 2,
                                             .accumulate = accumulate});
        EXPECT_LT(relative_l2(actual, to_double(expected)), 1e-6) << rows << " rows";
        // A sequence's numbers do not depend on what is decoded beside it.
        EXPECT_TRUE(std::equal(actual.begin(), actual.end(), alone.begin())) << rows << " rows";
      }
    }
  }
}

}  // namespace
}  // namespace chainrule::tests

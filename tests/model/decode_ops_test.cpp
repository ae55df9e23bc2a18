// The operations of a decode step: the fast ones against the reference, and both against causal attention.
#include <gtest/gtest.h>

#include <cmath>

#include "model/ops/ops.h"
#include "tests/support/values.h"

namespace chainrule::tests {
namespace {

using model::CacheShape;
using model::StepRow;

class DecodeOps : public ::testing::Test {
 protected:
  static constexpr std::int64_t kSlots = 3;
  const CacheShape shape_{{3, 10}, 37};  // a head width that fills no vector
  const std::int64_t width_ = shape_.attention.width();
  const std::unique_ptr<model::Ops> reference_ = model::make_reference_ops();
  const std::unique_ptr<model::Ops> fast_ = model::make_fast_ops(model::Math::float32);
};

TEST_F(DecodeOps, CacheWriteTouchesItsPositionsAlone) {
  const std::vector<StepRow> rows = {{0, 2, 5}, {0, 0, 36}};
  const std::vector<float> qkv = normal_values(1, 2 * 3 * width_, 1.0);
  std::vector<float> expected(kSlots * shape_.slot_elements(), 7.0F);
  std::vector<float> actual = expected;
  reference_->cache_write(qkv.data(), rows, shape_, expected.data());
  fast_->cache_write(qkv.data(), rows, shape_, actual.data());
  EXPECT_EQ(actual, expected);
  std::int64_t written = 0;
  for (const float value : actual) written += value != 7.0F ? 1 : 0;
  EXPECT_EQ(written, 2 * 2 * width_);
  EXPECT_EQ(actual[shape_.keys(2, 1) + 5 * 10], qkv[width_ + 10]);
  EXPECT_EQ(actual[shape_.keys(2, 1) + shape_.value_offset() + 5 * 10], qkv[2 * width_ + 10]);
}

TEST_F(DecodeOps, AttentionStepEqualsItsReference) {
  const std::vector<StepRow> rows = {{0, 1, 0}, {0, 2, 36}, {0, 0, 17}};
  const std::vector<float> qkv = normal_values(2, 3 * 3 * width_, 1.5);
  const std::vector<float> cache = normal_values(3, kSlots * shape_.slot_elements(), 1.5);
  std::vector<float> expected(3 * width_);
  std::vector<float> actual(3 * width_);
  reference_->attention_step(qkv.data(), rows, shape_, cache.data(), expected.data());
  fast_->attention_step(qkv.data(), rows, shape_, cache.data(), actual.data());
  EXPECT_LT(relative_l2(actual, to_double(expected)), 1e-6);
}

TEST_F(DecodeOps, SteppingThroughASequenceIsCausalAttention) {
  constexpr std::int64_t kTokens = 20;
  const std::vector<float> qkv = normal_values(4, kTokens * 3 * width_, 1.0);
  const std::vector<model::Sequence> whole = {{0, kTokens}};
  std::vector<float> expected(kTokens * width_);
  std::vector<float> log_sum_exp(shape_.attention.heads * kTokens);
  reference_->attention_forward(qkv.data(), whole, shape_.attention, kTokens, expected.data(), log_sum_exp.data());
  for (model::Ops* ops : {reference_.get(), fast_.get()}) {
    std::vector<float> cache(kSlots * shape_.slot_elements(), NAN);  // what was never written must not be read
    std::vector<float> actual(kTokens * width_);
    for (std::int64_t t = 0; t < kTokens; ++t) {
      const std::vector<StepRow> row = {{0, 1, t}};
      ops->cache_write(qkv.data() + t * 3 * width_, row, shape_, cache.data());
      ops->attention_step(qkv.data() + t * 3 * width_, row, shape_, cache.data(), actual.data() + t * width_);
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
  reference_->embedding_step(rows, tokens.data(), positions.data(), width_, expected.data());
  fast_->embedding_step(rows, tokens.data(), positions.data(), width_, actual.data());
  EXPECT_EQ(actual, expected);
  EXPECT_EQ(actual[0], tokens[6 * width_] + positions[8 * width_]);
}

}  // namespace
}  // namespace chainrule::tests

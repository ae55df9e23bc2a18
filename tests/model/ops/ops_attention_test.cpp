// Attention over ragged sequences: both implementations of Ops against float64, one sequence at a time.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "model/ops/attention.h"
#include "tests/model/ops/ops_under_test.h"
#include "tests/support/oracle_layers.h"
#include "tests/support/values.h"

namespace chainrule::tests {
namespace {

struct Case {
  Case(std::string with_name, model::shape::AttentionShape with_shape, std::int64_t with_rows,
       std::vector<model::ops::Sequence> with_sequences, std::int64_t window = 0)
      : name(std::move(with_name)), shape(with_shape), rows(with_rows), sequences(std::move(with_sequences)) {
    shape.window = window;
  }

  std::string name;
  model::shape::AttentionShape shape;
  std::int64_t rows;
  std::vector<model::ops::Sequence> sequences;
};

void PrintTo(const Case& tested, std::ostream* stream) { *stream << tested.name; }

class AttentionOps : public testing::TestWithParam<std::tuple<OpsUnderTest, Case>> {
 protected:
  const Case& tested() const { return std::get<1>(GetParam()); }
  double tolerance() const { return 2 * std::get<0>(GetParam()).tolerance; }
  std::int64_t width() const { return tested().shape.query_width(); }
  std::int64_t row_width() const { return tested().shape.row_width(); }
  oracle::Heads heads() const {
    const model::shape::AttentionShape& shape = tested().shape;
    return {shape.heads, shape.key_value_heads, shape.head_width, shape.window};
  }

  oracle::Matrix rows_of(const std::vector<float>& values, const model::ops::Sequence& sequence, std::int64_t columns) {
    oracle::Matrix result(sequence.rows, columns);
    const auto first = values.begin() + sequence.first_row * columns;
    result.values.assign(first, first + sequence.rows * columns);
    return result;
  }
  /// What each sequence alone gives, zero in padding rows.
  template <typename OfSequence>
  std::vector<double> expected(std::int64_t columns, OfSequence&& of_sequence) {
    std::vector<double> result(tested().rows * columns, 0.0);
    for (const model::ops::Sequence& sequence : tested().sequences) {
      const oracle::Matrix part = of_sequence(sequence);
      std::copy(part.values.begin(), part.values.end(), result.begin() + sequence.first_row * columns);
    }
    return result;
  }

  std::unique_ptr<model::ops::Ops> ops_ = std::get<0>(GetParam()).make();
  std::vector<float> query_key_value_ = normal_values(1, tested().rows* row_width(), 1.5);
  std::vector<float> output_gradient_ = normal_values(2, tested().rows* width(), 1.0);
};

INSTANTIATE_TEST_SUITE_P(
    Cases, AttentionOps,
    testing::Combine(testing::Values(kReferenceOps, kFastOps),
                     testing::Values(Case{"one_row", {1, 1, 8}, 1, {{0, 1}}}, Case{"two_heads", {2, 2, 4}, 3, {{0, 3}}},
                                     Case{"exact_block", {3, 3, 16}, 96, {{0, 96}}},
                                     Case{"past_a_block", {2, 2, 8}, 97, {{0, 97}}},
                                     Case{"several_chunks", {2, 2, 20}, 700, {{0, 300}, {300, 400}}},
                                     Case{"ragged", {3, 3, 8}, 150, {{0, 1}, {1, 66}, {67, 2}, {69, 81}}},
                                     Case{"padding", {2, 2, 12}, 40, {{3, 1}, {6, 20}, {30, 7}}},
                                     Case{"no_sequence", {2, 2, 8}, 5, {}}, Case{"long", {1, 1, 32}, 513, {{0, 513}}},
                                     Case{"gpt2_head", {12, 12, 64}, 70, {{0, 70}}},
                                     Case{"grouped", {6, 2, 16}, 150, {{2, 100}, {103, 40}}},
                                     Case{"one_key_head", {4, 1, 8}, 97, {{0, 97}}},
                                     Case{"window_of_one", {2, 2, 8}, 30, {{0, 30}}, 1},
                                     Case{"window_in_a_block", {2, 2, 8}, 120, {{0, 120}}, 7},
                                     Case{"window_of_blocks", {4, 2, 16}, 900, {{0, 700}, {700, 200}}, 130},
                                     Case{"window_of_chunks", {1, 1, 20}, 800, {{0, 800}}, 300},
                                     Case{"window_beyond", {2, 1, 8}, 64, {{0, 64}}, 64})),
    CaseName());

TEST_P(AttentionOps, ForwardAndBackward) {
  const std::int64_t rows = tested().rows;
  // Whatever was in the buffers must not matter: a NaN that stays shows at once.
  const float poison = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> output(rows * width(), poison);
  std::vector<float> log_sum_exp(tested().shape.heads * rows, poison);
  ops_->run(model::ops::AttentionForward{.rows = rows,
                                         .shape = tested().shape,
                                         .sequences = tested().sequences,
                                         .query_key_value = query_key_value_.data(),
                                         .output = output.data(),
                                         .log_sum_exp = log_sum_exp.data()});
  const auto attended = expected(width(), [&](const model::ops::Sequence& sequence) {
    return oracle::attention(rows_of(query_key_value_, sequence, row_width()), heads());
  });
  EXPECT_LT(relative_l2(output, attended), tolerance());

  std::vector<float> gradient(rows * row_width(), poison);
  ops_->run(model::ops::AttentionBackward{.rows = rows,
                                          .shape = tested().shape,
                                          .sequences = tested().sequences,
                                          .output_gradient = output_gradient_.data(),
                                          .query_key_value = query_key_value_.data(),
                                          .output = output.data(),
                                          .log_sum_exp = log_sum_exp.data(),
                                          .query_key_value_gradient = gradient.data()});
  const auto expected_gradient = expected(row_width(), [&](const model::ops::Sequence& sequence) {
    return oracle::attention_backward(rows_of(output_gradient_, sequence, width()),
                                      rows_of(query_key_value_, sequence, row_width()), heads());
  });
  EXPECT_LT(relative_l2(gradient, expected_gradient), tolerance());
}

TEST_P(AttentionOps, LaterRowsChangeNoEarlierOutput) {
  const std::int64_t rows = tested().rows;
  std::vector<float> output(rows * width());
  std::vector<float> changed_output(rows * width());
  std::vector<float> log_sum_exp(tested().shape.heads * rows);
  ops_->run(model::ops::AttentionForward{.rows = rows,
                                         .shape = tested().shape,
                                         .sequences = tested().sequences,
                                         .query_key_value = query_key_value_.data(),
                                         .output = output.data(),
                                         .log_sum_exp = log_sum_exp.data()});
  for (const model::ops::Sequence& sequence : tested().sequences) {
    const std::int64_t at = sequence.first_row + sequence.rows / 2;
    std::vector<float> changed = query_key_value_;
    for (std::int64_t i = at * row_width(); i < (sequence.first_row + sequence.rows) * row_width(); ++i) {
      changed[i] = 2.0F - changed[i];
    }
    ops_->run(model::ops::AttentionForward{.rows = rows,
                                           .shape = tested().shape,
                                           .sequences = tested().sequences,
                                           .query_key_value = changed.data(),
                                           .output = changed_output.data(),
                                           .log_sum_exp = log_sum_exp.data()});
    for (std::int64_t i = 0; i < rows * width(); ++i) {
      const std::int64_t row = i / width();
      if (row >= at && row < sequence.first_row + sequence.rows) continue;
      ASSERT_EQ(output[i], changed_output[i]) << "row " << row << " changed with row " << at;
    }
    EXPECT_NE(output, changed_output);
  }
}

/// Two long texts that share 500 positions, and some short ones that leave them here and there.
const std::vector<model::ops::Sequence> kTree = {{2, 600},           {602, 3, 550, 0},  {605, 1, 552, 1},
                                                 {610, 130, 500, 0}, {740, 100, 96, 3}, {840, 5, 97, 4},
                                                 {845, 40},          {885, 2, 40, 6}};

class ContinuedAttention : public testing::TestWithParam<std::tuple<OpsUnderTest, std::int64_t>> {};

INSTANTIATE_TEST_SUITE_P(Windows, ContinuedAttention,
                         testing::Combine(testing::Values(kReferenceOps, kFastOps), testing::Values(0, 7, 200)),
                         CaseName());

TEST_P(ContinuedAttention, ASequenceThatContinuesAnotherHasTheBitsOfTheWhole) {
  constexpr std::int64_t kRows = 890;
  model::shape::AttentionShape shape{4, 2, 20};
  shape.window = std::get<1>(GetParam());
  const std::unique_ptr<model::ops::Ops> ops = std::get<0>(GetParam()).make();
  const std::int64_t columns = shape.row_width();
  const std::int64_t width = shape.query_width();
  const auto attend = [&](const std::vector<float>& query_key_value, std::span<const model::ops::Sequence> sequences,
                          std::int64_t rows) {
    std::vector<float> output(rows * width, std::numeric_limits<float>::quiet_NaN());
    std::vector<float> log_sum_exp(shape.heads * rows);
    ops->run(model::ops::AttentionForward{.rows = rows,
                                          .shape = shape,
                                          .sequences = sequences,
                                          .query_key_value = query_key_value.data(),
                                          .output = output.data(),
                                          .log_sum_exp = log_sum_exp.data()});
    output.insert(output.end(), log_sum_exp.begin(), log_sum_exp.end());
    return output;
  };
  const std::vector<float> rows = normal_values(3, kRows * columns, 1.5);
  const std::vector<float> together = attend(rows, kTree, kRows);
  for (std::size_t s = 0; s < kTree.size(); ++s) {
    const model::ops::Sequence& sequence = kTree[s];
    std::vector<float> whole(sequence.length() * columns);
    std::int64_t copied = 0;
    model::ops::for_each_stretch(kTree, s, [&](std::int64_t first_row, std::int64_t begin, std::int64_t end) {
      std::copy_n(rows.begin() + first_row * columns, (end - begin) * columns, whole.begin() + begin * columns);
      copied += end - begin;
    });
    ASSERT_EQ(copied, sequence.length());
    const model::ops::Sequence alone{0, sequence.length()};
    const std::vector<float> expected = attend(whole, {&alone, 1}, alone.rows);
    for (std::int64_t t = 0; t < sequence.rows; ++t) {
      const std::int64_t row = sequence.first_row + t;
      const std::int64_t position = sequence.position + t;
      for (std::int64_t i = 0; i < width; ++i) {
        ASSERT_EQ(together[row * width + i], expected[position * width + i]) << "sequence " << s << ", row " << t;
      }
      for (std::int64_t h = 0; h < shape.heads; ++h) {
        ASSERT_EQ(together[kRows * width + h * kRows + row], expected[(width + h) * alone.rows + position]);
      }
    }
  }
}

}  // namespace
}  // namespace chainrule::tests

#include "model/ops/attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace chainrule::model::ops {
namespace {

double dot(const float* a, const float* b, std::int64_t count) {
  double sum = 0;
  for (std::int64_t d = 0; d < count; ++d) sum += static_cast<double>(a[d]) * b[d];
  return sum;
}

/// Query, key and value of one head, found from row 0 of what the positions count.
struct HeadView {
  const float* first_row = nullptr;  ///< query_key_value of row 0
  shape::AttentionShape shape;
  std::int64_t head = 0;

  const float* query(std::int64_t t) const { return first_row + t * shape.row_width() + head * shape.head_width; }
  const float* key(std::int64_t t) const {
    return first_row + t * shape.row_width() + shape.query_width() + shape.key_value_head(head) * shape.head_width;
  }
  const float* value(std::int64_t t) const { return key(t) + shape.key_value_width(); }
};

/// The row of each position of a sequence and of what it continues.
std::vector<std::int64_t> rows_by_position(std::span<const Sequence> sequences, std::size_t index) {
  std::vector<std::int64_t> rows(sequences[index].length());
  for_each_stretch(sequences, index, [&](std::int64_t first_row, std::int64_t begin, std::int64_t end) {
    for (std::int64_t position = begin; position < end; ++position) rows[position] = first_row + position - begin;
  });
  return rows;
}

}  // namespace

void reference(const AttentionForward& op) {
  const std::int64_t width = op.shape.query_width();
  const std::int64_t d = op.shape.head_width;
  const double scale = 1.0 / std::sqrt(static_cast<double>(d));
  std::fill_n(op.output, op.rows * width, 0.0F);
  std::fill_n(op.log_sum_exp, op.shape.heads * op.rows, 0.0F);
  for (std::size_t s = 0; s < op.sequences.size(); ++s) {
    const Sequence& sequence = op.sequences[s];
    const std::vector<std::int64_t> row_of = rows_by_position(op.sequences, s);
    for (std::int64_t h = 0; h < op.shape.heads; ++h) {
      const HeadView head{op.query_key_value, op.shape, h};
      for (std::int64_t q = sequence.position; q < sequence.length(); ++q) {
        const std::int64_t row = row_of[q];
        const std::int64_t first = op.shape.first_position(q);
        std::vector<double> scores;
        for (std::int64_t k = first; k <= q; ++k) {
          scores.push_back(scale * dot(head.query(row), head.key(row_of[k]), d));
        }
        const double largest = *std::max_element(scores.begin(), scores.end());
        double sum = 0;
        for (const double score : scores) sum += std::exp(score - largest);
        const double row_log_sum_exp = largest + std::log(sum);
        std::vector<double> mixed(d, 0.0);
        for (std::int64_t k = first; k <= q; ++k) {
          const double probability = std::exp(scores[k - first] - row_log_sum_exp);
          for (std::int64_t i = 0; i < d; ++i) mixed[i] += probability * head.value(row_of[k])[i];
        }
        for (std::int64_t i = 0; i < d; ++i) op.output[row * width + h * d + i] = static_cast<float>(mixed[i]);
        op.log_sum_exp[h * op.rows + row] = static_cast<float>(row_log_sum_exp);
      }
    }
  }
}

// With p the probabilities of one query over its keys and dO, O its output gradient and output:
//   dp_k = dO . v_k;   ds_k = p_k (dp_k - dO . O);   dq = scale sum_k ds_k k_k;   dk_k += scale ds_k q;   dv_k += p_k
//   dO.
void reference(const AttentionBackward& op) {
  const std::int64_t width = op.shape.query_width();
  const std::int64_t d = op.shape.head_width;
  const double scale = 1.0 / std::sqrt(static_cast<double>(d));
  std::fill_n(op.query_key_value_gradient, op.rows * op.shape.row_width(), 0.0F);
  for (const Sequence& sequence : op.sequences) {
    for (std::int64_t h = 0; h < op.shape.heads; ++h) {
      const HeadView head{op.query_key_value + sequence.first_row * op.shape.row_width(), op.shape, h};
      std::vector<double> query_gradient(sequence.rows * d, 0.0);
      std::vector<double> key_gradient(sequence.rows * d, 0.0);
      std::vector<double> value_gradient(sequence.rows * d, 0.0);
      for (std::int64_t q = 0; q < sequence.rows; ++q) {
        const std::int64_t row = sequence.first_row + q;
        const float* row_gradient = op.output_gradient + row * width + h * d;
        const double mean_gradient = dot(row_gradient, op.output + row * width + h * d, d);
        for (std::int64_t k = op.shape.first_position(q); k <= q; ++k) {
          const double score = scale * dot(head.query(q), head.key(k), d);
          const double probability = std::exp(score - op.log_sum_exp[h * op.rows + row]);
          const double score_gradient = probability * (dot(row_gradient, head.value(k), d) - mean_gradient);
          for (std::int64_t i = 0; i < d; ++i) {
            query_gradient[q * d + i] += scale * score_gradient * head.key(k)[i];
            key_gradient[k * d + i] += scale * score_gradient * head.query(q)[i];
            value_gradient[k * d + i] += probability * row_gradient[i];
          }
        }
      }
      const std::int64_t key_column = op.shape.query_width() + op.shape.key_value_head(h) * d;
      for (std::int64_t t = 0; t < sequence.rows; ++t) {
        float* row = op.query_key_value_gradient + (sequence.first_row + t) * op.shape.row_width();
        for (std::int64_t i = 0; i < d; ++i) {
          row[h * d + i] = static_cast<float>(query_gradient[t * d + i]);
          row[key_column + i] += static_cast<float>(key_gradient[t * d + i]);
          row[key_column + op.shape.key_value_width() + i] += static_cast<float>(value_gradient[t * d + i]);
        }
      }
    }
  }
}

}  // namespace chainrule::model::ops

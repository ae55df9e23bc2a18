#include "model/ops/rotary.h"

#include <algorithm>

namespace chainrule::model::ops {
namespace {

/// (a, b) of a pair of channels turned by an angle.
void turn(float& a, float& b, double cosine, double sine) {
  const double first = a;
  const double second = b;
  a = static_cast<float>(first * cosine - second * sine);
  b = static_cast<float>(second * cosine + first * sine);
}

void turn_rows(const shape::AttentionShape& shape, const RotaryRun& run, double direction, float* rows) {
  const std::int64_t half = shape.head_width / 2;
  for (std::int64_t r = 0; r < run.rows; ++r) {
    for (std::int64_t h = 0; h < shape.heads + shape.key_value_heads; ++h) {
      float* head = rows + (run.first_row + r) * shape.row_width() + h * shape.head_width;
      for (std::int64_t i = 0; i < half; ++i) {
        turn(head[i], head[i + half], run.cosines[r * half + i], direction * run.sines[r * half + i]);
      }
    }
  }
}

}  // namespace

void reference(const RotaryForward& op) {
  const std::int64_t width = op.shape.row_width();
  std::fill_n(op.output, op.rows * width, 0.0F);
  for (const RotaryRun& run : op.runs) {
    std::copy_n(op.query_key_value + run.first_row * width, run.rows * width, op.output + run.first_row * width);
    turn_rows(op.shape, run, 1.0, op.output);
  }
}

void reference(const RotaryBackward& op) {
  for (const RotaryRun& run : op.runs) turn_rows(op.shape, run, -1.0, op.gradient);
}

}  // namespace chainrule::model::ops

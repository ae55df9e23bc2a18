#include "model/ops/rotary.h"

#include <algorithm>

#include "model/simd/multiversion.h"

namespace chainrule::model::ops {
namespace {

/// Heads side by side by the same angles; from may be to. direction: 1, or -1 to turn back.
CHAINRULE_MULTIVERSION
void turn(const float* from, const float* cosines, const float* sines, std::int64_t heads, std::int64_t half,
          float direction, float* to) {
  for (std::int64_t head = 0; head < heads; ++head) {
    const float* a = from + 2 * half * head;
    float* turned = to + 2 * half * head;
#pragma omp simd
    for (std::int64_t i = 0; i < half; ++i) {
      const float first = a[i];
      const float second = a[i + half];
      const float sine = direction * sines[i];
      turned[i] = first * cosines[i] - second * sine;
      turned[i + half] = second * cosines[i] + first * sine;
    }
  }
}

void zero_rows(float* output, std::int64_t begin, std::int64_t end, std::int64_t width) {
  std::fill(output + begin * width, output + end * width, 0.0F);
}

}  // namespace

void fast(Workspace& /*workspace*/, const RotaryForward& op) {
  const std::int64_t width = op.shape.row_width();
  const std::int64_t turned = op.shape.query_width() + op.shape.key_value_width();
  const std::int64_t half = op.shape.head_width / 2;
  std::int64_t covered = 0;
  for (const RotaryRun& run : op.runs) {
    zero_rows(op.output, covered, run.first_row, width);
    covered = run.first_row + run.rows;
#pragma omp parallel for schedule(static) if (run.rows > 16)
    for (std::int64_t row = 0; row < run.rows; ++row) {
      const float* from = op.query_key_value + (run.first_row + row) * width;
      float* to = op.output + (run.first_row + row) * width;
      turn(from, run.cosines + row * half, run.sines + row * half, turned / (2 * half), half, 1.0F, to);
      std::copy_n(from + turned, width - turned, to + turned);
    }
  }
  zero_rows(op.output, covered, op.rows, width);
}

void fast(Workspace& /*workspace*/, const RotaryBackward& op) {
  const std::int64_t width = op.shape.row_width();
  const std::int64_t heads = op.shape.heads + op.shape.key_value_heads;
  const std::int64_t half = op.shape.head_width / 2;
  for (const RotaryRun& run : op.runs) {
#pragma omp parallel for schedule(static) if (run.rows > 16)
    for (std::int64_t row = 0; row < run.rows; ++row) {
      float* gradient = op.gradient + (run.first_row + row) * width;
      turn(gradient, run.cosines + row * half, run.sines + row * half, heads, half, -1.0F, gradient);
    }
  }
}

}  // namespace chainrule::model::ops

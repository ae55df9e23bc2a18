// Dot products of a few rows with every row of a weight matrix. A thread follows four streams through its share of the
// weights, a quarter of the matrix apart: with four rows side by side instead, the streams are so short that the
// processor's prefetching never catches up, and a third of the memory's speed is lost.
#include "model/products/few_rows.h"

#include <omp.h>

#include <cstring>

#include "model/round_up.h"
#include "model/simd/multiversion.h"

namespace chainrule::model::products {
namespace {

using Vector = float __attribute__((vector_size(32)));
constexpr std::int64_t kLanes = 8;
constexpr int kStreams = 4;
constexpr std::int64_t kGroup = 3;  // rows that meet a weight in registers; further groups find it in the cache

/// sums [Rows][Streams] = x rows (`in` apart) . weight rows (`stride` apart). The short loops must be unrolled, else
/// the partial sums live in memory and the arithmetic, not the memory, sets the speed.
template <int Rows, int Streams>
inline __attribute__((always_inline)) void dot_products(const float* x, const float* weight, std::int64_t stride,
                                                        std::int64_t in, float* sums) {
  Vector partial[Rows * Streams];
#pragma GCC unroll 16
  for (int each = 0; each < Rows * Streams; ++each) partial[each] = Vector{};
  std::int64_t i = 0;
  for (; i + kLanes <= in; i += kLanes) {
    Vector weights[Streams];
#pragma GCC unroll 16
    for (int s = 0; s < Streams; ++s) std::memcpy(&weights[s], weight + s * stride + i, sizeof(Vector));
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
      Vector values;
      std::memcpy(&values, x + r * in + i, sizeof(Vector));
#pragma GCC unroll 16
      for (int s = 0; s < Streams; ++s) partial[r * Streams + s] += values * weights[s];
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 16
    for (int s = 0; s < Streams; ++s) {
      const Vector p = partial[r * Streams + s];
      float sum = ((p[0] + p[4]) + (p[1] + p[5])) + ((p[2] + p[6]) + (p[3] + p[7]));
      for (std::int64_t tail = i; tail < in; ++tail) sum += x[r * in + tail] * weight[s * stride + tail];
      sums[r * Streams + s] = sum;
    }
  }
}

CHAINRULE_MULTIVERSION
void one_row(const float* x, const float* weight, std::int64_t stride, std::int64_t in, float* sums) {
  dot_products<1, kStreams>(x, weight, stride, in, sums);
}

CHAINRULE_MULTIVERSION
void two_rows(const float* x, const float* weight, std::int64_t stride, std::int64_t in, float* sums) {
  dot_products<2, kStreams>(x, weight, stride, in, sums);
}

CHAINRULE_MULTIVERSION
void three_rows(const float* x, const float* weight, std::int64_t stride, std::int64_t in, float* sums) {
  dot_products<3, kStreams>(x, weight, stride, in, sums);
}

CHAINRULE_MULTIVERSION
void one_row_one_stream(const float* x, const float* weight, std::int64_t in, float* sum) {
  dot_products<1, 1>(x, weight, 0, in, sum);
}

/// sums [count][kStreams] of at most kGroup rows.
void group_of_rows(std::int64_t count, const float* x, const float* weight, std::int64_t stride, std::int64_t in,
                   float* sums) {
  if (count == 1) one_row(x, weight, stride, in, sums);
  if (count == 2) two_rows(x, weight, stride, in, sums);
  if (count == 3) three_rows(x, weight, stride, in, sums);
}

}  // namespace

void multiply_few_rows(const FewRowsProduct& product) {
  // No structured bindings: clang 14 lets none into a lambda or a parallel region.
  const std::int64_t rows = product.rows;
  const std::int64_t in = product.in;
  const std::int64_t out = product.out;
  const float* const x = product.x;
  const float* const weight = product.weight;
  const auto put = [product](std::int64_t row, std::int64_t o, float sum) {
    float& to = product.output[row * product.output_stride + o];
    const float with_bias = product.bias != nullptr ? sum + product.bias[o] : sum;
    to = product.accumulate ? to + with_bias : with_bias;
  };
  const std::int64_t stream = out / kStreams;  // outputs of each
#pragma omp parallel for schedule(static)
  for (std::int64_t o = 0; o < stream; ++o) {
    for (std::int64_t row = 0; row < rows; row += kGroup) {
      float sums[kGroup * kStreams];
      const std::int64_t count = rows - row < kGroup ? rows - row : kGroup;
      group_of_rows(count, x + row * in, weight + o * in, stream * in, in, sums);
      for (std::int64_t r = 0; r < count; ++r) {
        for (std::int64_t s = 0; s < kStreams; ++s) put(row + r, o + s * stream, sums[r * kStreams + s]);
      }
    }
  }
  for (std::int64_t o = stream * kStreams; o < out; ++o) {
    for (std::int64_t row = 0; row < rows; ++row) {
      float sum = 0;
      one_row_one_stream(x + row * in, weight + o * in, in, &sum);
      put(row, o, sum);
    }
  }
}

std::int64_t few_rows_scratch(std::int64_t in) { return omp_get_max_threads() * kStreams * round_up(in, 16); }

void multiply_few_rows(const FewRowsStoredProduct& product) {
  const std::int64_t out = product.weight->rows;
  const std::int64_t in = product.weight->columns;
  const std::int64_t stride = round_up(in, 16);
#pragma omp parallel for schedule(static)
  for (std::int64_t first = 0; first < out; first += kStreams) {
    float* decoded = product.scratch + omp_get_thread_num() * kStreams * stride;
    const std::int64_t here = out - first < kStreams ? out - first : kStreams;
    product.weight->decode_rows(first, here, 0, in, decoded, stride);
    for (std::int64_t row = 0; row < product.rows; row += kGroup) {
      float sums[kGroup * kStreams];
      const std::int64_t count = product.rows - row < kGroup ? product.rows - row : kGroup;
      group_of_rows(count, product.x + row * in, decoded, stride, in, sums);
      for (std::int64_t r = 0; r < count; ++r) {
        for (std::int64_t s = 0; s < here; ++s) {
          float& to = product.output[(row + r) * product.output_stride + first + s];
          float sum = sums[r * kStreams + s];
          if (product.bias != nullptr) sum += product.bias[first + s];
          to = product.accumulate ? to + sum : sum;
        }
      }
    }
  }
}

}  // namespace chainrule::model::products

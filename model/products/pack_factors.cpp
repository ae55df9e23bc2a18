#include "model/products/pack_factors.h"

#include <cstring>

#include "model/simd/instruction_sets.h"

namespace chainrule::model::products {
namespace {

using Vector4 = float __attribute__((vector_size(16)));

/// to [4, 4] = the transpose of from [4, 4].
CHAINRULE_AVX2 inline void transpose4(const float* from, std::int64_t from_row, float* to) {
  Vector4 rows[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) std::memcpy(&rows[i], from + i * from_row, sizeof(Vector4));
  const Vector4 low01 = __builtin_shufflevector(rows[0], rows[1], 0, 4, 1, 5);
  const Vector4 high01 = __builtin_shufflevector(rows[0], rows[1], 2, 6, 3, 7);
  const Vector4 low23 = __builtin_shufflevector(rows[2], rows[3], 0, 4, 1, 5);
  const Vector4 high23 = __builtin_shufflevector(rows[2], rows[3], 2, 6, 3, 7);
  const Vector4 columns[4] = {
      __builtin_shufflevector(low01, low23, 0, 1, 4, 5), __builtin_shufflevector(low01, low23, 2, 3, 6, 7),
      __builtin_shufflevector(high01, high23, 0, 1, 4, 5), __builtin_shufflevector(high01, high23, 2, 3, 6, 7)};
  std::memcpy(to, columns, sizeof columns);
}

/// to [8, 8] = the transpose of from [8, 8].
CHAINRULE_AVX2 inline void transpose8(const float* from, std::int64_t from_row, float* to, std::int64_t to_row) {
  simd::Vector8 rows[8];
  simd::Vector8 pairs[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) rows[i] = simd::load8(from + i * from_row);
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = __builtin_shufflevector(rows[i], rows[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    pairs[i + 1] = __builtin_shufflevector(rows[i], rows[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    rows[i] = __builtin_shufflevector(pairs[i], pairs[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
    rows[i + 1] = __builtin_shufflevector(pairs[i], pairs[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    rows[i + 2] = __builtin_shufflevector(pairs[i + 1], pairs[i + 3], 0, 1, 8, 9, 4, 5, 12, 13);
    rows[i + 3] = __builtin_shufflevector(pairs[i + 1], pairs[i + 3], 2, 3, 10, 11, 6, 7, 14, 15);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    simd::store8(__builtin_shufflevector(rows[i], rows[i + 4], 0, 1, 2, 3, 8, 9, 10, 11), to + i * to_row);
    simd::store8(__builtin_shufflevector(rows[i], rows[i + 4], 4, 5, 6, 7, 12, 13, 14, 15), to + (i + 4) * to_row);
  }
}

/// Lanes that lie side by side: Groups strips or panels of Lanes lanes from each step. The ones behind them, which are
/// read next, are fetched meanwhile.
template <int Lanes, int Groups>
CHAINRULE_AVX2 void copy_lanes(const Factor& from, std::int64_t k, float* to) {
  for (std::int64_t p = 0; p < k; ++p) {
    const float* step = from.at + p * from.step;
#pragma GCC unroll 2
    for (int ahead = 0; ahead < Lanes * Groups; ahead += 16) __builtin_prefetch(step + Lanes * Groups + ahead, 0, 2);
#pragma GCC unroll 4
    for (int group = 0; group < Groups; ++group) {
      std::memcpy(to + (group * k + p) * Lanes, step + group * Lanes, Lanes * sizeof(float));
    }
  }
}

constexpr std::int64_t kCacheLine = 16;  // floats

/// Lanes that lie far apart and are read soon: the hardware does not see so many short streams coming.
inline void prefetch_lanes(const Factor& from, std::int64_t lanes) {
  for (std::int64_t lane = 0; lane < lanes; ++lane) __builtin_prefetch(from.at + lane * from.lane);
}

/// The last lanes, fewer than a strip or panel has.
void copy_some_lanes(const Factor& from, std::int64_t lanes, std::int64_t of, std::int64_t k, float* to) {
  for (std::int64_t p = 0; p < k; ++p) {
    for (std::int64_t lane = 0; lane < of; ++lane) {
      to[p * of + lane] = lane < lanes ? from.at[lane * from.lane + p * from.step] : 0.0F;
    }
  }
}

/// to [k][8 or 4] = k steps of as many lanes that lie far apart.
template <int Lanes>
CHAINRULE_AVX2 void gather_lanes(const Factor& from, std::int64_t k, float* to, std::int64_t to_step) {
  static_assert(Lanes == 4 || Lanes == 8);
  const std::int64_t even = k / Lanes * Lanes;
  for (std::int64_t p = 0; p < even; p += Lanes) {
    if (p % kCacheLine == 0) prefetch_lanes(from.part(Lanes, p), Lanes);
    if constexpr (Lanes == 4) {
      transpose4(from.at + p, from.lane, to + p * to_step);
    } else {
      transpose8(from.at + p, from.lane, to + p * to_step, to_step);
    }
  }
  for (std::int64_t p = even; p < k; ++p) {
    for (int lane = 0; lane < Lanes; ++lane) to[p * to_step + lane] = from.at[lane * from.lane + p];
  }
}

template <int Lanes>
CHAINRULE_AVX2 void pack_strips(const Factor& a, std::int64_t rows, std::int64_t k, float* strips) {
  constexpr std::int64_t kTogether = 16;  // rows that share a cache line where they lie side by side
  std::int64_t row = 0;
  while (row + Lanes <= rows) {
    const Factor from = a.part(row, 0);
    float* to = strips + row * k;
    if (a.lane == 1 && row + kTogether <= rows) {
      copy_lanes<Lanes, kTogether / Lanes>(from, k, to);
      row += kTogether;
      continue;
    }
    if (a.lane == 1) {
      copy_lanes<Lanes, 1>(from, k, to);
    } else {
      gather_lanes<Lanes>(from, k, to, Lanes);
    }
    row += Lanes;
  }
  if (row < rows) copy_some_lanes(a.part(row, 0), rows - row, Lanes, k, strips + row * k);
}

template <int Lanes>
CHAINRULE_AVX2 void pack_panel(const Factor& b, std::int64_t columns, std::int64_t k, float* panel) {
  if (columns < Lanes) {
    copy_some_lanes(b, columns, Lanes, k, panel);
  } else if (b.lane == 1) {
    copy_lanes<Lanes, 1>(b, k, panel);
  } else {
    for (std::int64_t lane = 0; lane < Lanes; lane += 8) gather_lanes<8>(b.part(lane, 0), k, panel + lane, Lanes);
  }
}

}  // namespace

void pack_strips_of_4(const Factor& a, std::int64_t rows, std::int64_t k, float* strips) {
  pack_strips<4>(a, rows, k, strips);
}
void pack_strips_of_8(const Factor& a, std::int64_t rows, std::int64_t k, float* strips) {
  pack_strips<8>(a, rows, k, strips);
}
void pack_panel_of_24(const Factor& b, std::int64_t columns, std::int64_t k, float* panel) {
  pack_panel<24>(b, columns, k, panel);
}
void pack_panel_of_48(const Factor& b, std::int64_t columns, std::int64_t k, float* panel) {
  pack_panel<48>(b, columns, k, panel);
}

}  // namespace chainrule::model::products

#pragma once
#include <cstdint>

namespace chainrule::model::products {

/// A factor of a product: `lane` elements from one row (of A) or column (of B) to the next, `step` from one k to the
/// next. One of the two is 1.
struct Factor {
  const float* at;
  std::int64_t lane;
  std::int64_t step;

  Factor part(std::int64_t first_lane, std::int64_t first_step) const {
    return {at + first_lane * lane + first_step * step, lane, step};
  }
};

/// rows lanes, k steps -> strips [ceil(rows / lanes)][k][lanes], missing rows zero. For processors with AVX2.
void pack_strips_of_4(const Factor& a, std::int64_t rows, std::int64_t k, float* strips);
void pack_strips_of_8(const Factor& a, std::int64_t rows, std::int64_t k, float* strips);
/// columns lanes (at most as many as a panel has), k steps -> panel [k][lanes], missing columns zero. For processors
/// with AVX2.
void pack_panel_of_24(const Factor& b, std::int64_t columns, std::int64_t k, float* panel);
void pack_panel_of_48(const Factor& b, std::int64_t columns, std::int64_t k, float* panel);

}  // namespace chainrule::model::products

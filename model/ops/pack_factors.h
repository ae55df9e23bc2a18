#pragma once
#include <cstdint>

#include "model/ops/product_tile.h"

namespace chainrule::model {

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

/// rows lanes, k steps -> strips [ceil(rows / 4)][k][4], missing rows zero. For processors with AVX2.
void pack_strips(const Factor& a, std::int64_t rows, std::int64_t k, float* strips);
/// columns lanes (at most 24), k steps -> panel [k][24], missing columns zero. For processors with AVX2.
void pack_panel(const Factor& b, std::int64_t columns, std::int64_t k, float* panel);

}  // namespace chainrule::model

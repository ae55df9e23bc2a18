#include "model/ops/batch.h"

#include <numeric>

namespace chainrule::model::ops {

std::vector<std::int64_t> positions_of(const Batch& batch) {
  std::vector<std::int64_t> positions(batch.inputs.size(), 0);
  for (const Sequence& sequence : batch.sequences) {
    const auto first = positions.begin() + sequence.first_row;
    std::iota(first, first + sequence.rows, sequence.position);
  }
  return positions;
}

}  // namespace chainrule::model::ops

#include "model/weights/stored_matrix.h"

#include <cstdint>

namespace chainrule::model::weights {

void StoredMatrix::decode_rows(std::int64_t first_row, std::int64_t count, std::int64_t first_column,
                               std::int64_t width, float* values, std::int64_t value_stride) const {
  const std::int64_t row_bytes = encoded_bytes(encoding, columns);
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t row = first_row + i;
    if (alternating != 0) {
      const std::int64_t in_head = row % alternating;
      const std::int64_t half = alternating / 2;
      row += 2 * (in_head % half) + in_head / half - in_head;
    }
    decode(encoding, data + row * row_bytes, first_column, width, values + i * value_stride);
  }
}

void StoredMatrix::decode_columns(std::int64_t first_row, std::int64_t count, std::int64_t first_column,
                                  std::int64_t width, float* values, std::int64_t value_stride) const {
  const std::int64_t column_bytes = encoded_bytes(encoding, rows);
  for (std::int64_t i = 0; i < width; ++i) {
    decode(encoding, data + (first_column + i) * column_bytes, first_row, count, values + i * value_stride);
  }
}

const float* StoredMatrix::in_place() const {
  const bool aligned = reinterpret_cast<std::uintptr_t>(data) % alignof(float) == 0;
  if (encoding != Encoding::f32 || alternating != 0 || !aligned) return nullptr;
  return reinterpret_cast<const float*>(data);
}

}  // namespace chainrule::model::weights

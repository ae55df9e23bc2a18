#pragma once
#include <cstddef>
#include <cstdint>

#include "model/weights/encoding.h"

namespace chainrule::model::weights {

/// A matrix of products [rows (out), columns (in)], or some rows of one, as a file stores it: read where it lies,
/// decoded a block at a time. What data points at outlives it; aligned to nothing.
struct StoredMatrix {
  Encoding encoding = Encoding::f32;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  const std::byte* data = nullptr;
  /// Stored as [columns, rows]. Not of encodings in blocks.
  bool transposed = false;
  /// Head width, where the rows of a head are stored so that those of its first and second half alternate (GGUF files
  /// of the Llama architecture); 0: in order.
  std::int64_t alternating = 0;

  /// values [of `count` rows, `width` columns each, value_stride apart] = the part of the matrix from first_row and
  /// first_column on. Not of a transposed matrix; first_column is at a block's beginning.
  void decode_rows(std::int64_t first_row, std::int64_t count, std::int64_t first_column, std::int64_t width,
                   float* values, std::int64_t value_stride) const;
  /// values [width columns, `count` rows each, value_stride apart]: the same part of a transposed matrix as it is
  /// stored.
  void decode_columns(std::int64_t first_row, std::int64_t count, std::int64_t first_column, std::int64_t width,
                      float* values, std::int64_t value_stride) const;
  /// The matrix itself, where it is an array of float32 in order; else null.
  const float* in_place() const;
};

}  // namespace chainrule::model::weights

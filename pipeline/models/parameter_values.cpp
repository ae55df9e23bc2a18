#include "pipeline/models/parameter_values.h"

#include <algorithm>
#include <vector>

namespace chainrule::pipeline::models {
namespace {

using model::weights::StoredMatrix;

/// As read_section, of rows that are stored as [columns, rows].
void read_transposed(const StoredMatrix& stored, const Section& section, float* values) {
  std::vector<float> columns(static_cast<std::size_t>(section.rows * section.columns));
  stored.decode_columns(section.first_row, section.rows, section.first_column, section.columns, columns.data(),
                        section.rows);
  for (std::int64_t row = 0; row < section.rows; ++row) {
    for (std::int64_t column = 0; column < section.columns; ++column) {
      values[row * section.columns + column] = columns[static_cast<std::size_t>(column * section.rows + row)];
    }
  }
}

/// As read_section, of rows in order: encodings in blocks are decoded from the beginning of a block.
void read_in_order(const StoredMatrix& stored, const Section& section, float* values) {
  const std::int64_t block = model::weights::block_elements(stored.encoding);
  const std::int64_t before = section.first_column % block;
  const std::int64_t width = before + section.columns;
  if (before == 0) {
    return stored.decode_rows(section.first_row, section.rows, section.first_column, width, values, width);
  }
  std::vector<float> row(static_cast<std::size_t>(width));
  for (std::int64_t i = 0; i < section.rows; ++i) {
    stored.decode_rows(section.first_row + i, 1, section.first_column - before, width, row.data(), width);
    std::copy(row.begin() + before, row.end(), values + i * section.columns);
  }
}

void read_stored(const std::vector<StoredMatrix>& parts, Section section, float* values) {
  for (const StoredMatrix& stored : parts) {
    if (section.first_row < stored.rows) {
      Section here = section;
      here.rows = std::min(section.rows, stored.rows - section.first_row);
      stored.transposed ? read_transposed(stored, here, values) : read_in_order(stored, here, values);
      values += here.rows * here.columns;
      section.rows -= here.rows;
      section.first_row = 0;
    } else {
      section.first_row -= stored.rows;
    }
    if (section.rows == 0) return;
  }
}

}  // namespace

Section whole(const model::shape::Parameter& parameter) {
  return {0, parameter.shape[0], 0, parameter.is_matrix() ? parameter.shape[1] : 1};
}

void read_section(const model::weights::Weights& weights, const model::shape::Parameter& parameter,
                  const Section& section, float* values) {
  const auto* stored = weights.stored();
  if (stored != nullptr && stored->has_matrix(parameter.offset)) {
    return read_stored(stored->matrix(parameter.offset), section, values);
  }
  const std::int64_t width = whole(parameter).columns;
  const float* from = weights.values(parameter.offset) + section.first_row * width + section.first_column;
  for (std::int64_t row = 0; row < section.rows; ++row) {
    std::copy_n(from + row * width, section.columns, values + row * section.columns);
  }
}

}  // namespace chainrule::pipeline::models

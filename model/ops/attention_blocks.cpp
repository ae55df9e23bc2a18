#include "model/ops/attention_blocks.h"

#include <cmath>

namespace chainrule::model::ops {

AttentionHead::AttentionHead(const float* query_key_value, const Sequence& sequence, const shape::AttentionShape& shape,
                             std::int64_t h)
    : stride(shape.row_width()),
      width(shape.head_width),
      rows(sequence.rows),
      length(sequence.length()),
      window(shape.window),
      score_scale(1.0F / std::sqrt(static_cast<float>(shape.head_width))) {
  const float* first_row = query_key_value + sequence.first_row * stride;
  query = first_row + h * width;
  key = first_row + shape.query_width() + shape.key_value_head(h) * width;
  value = key + shape.key_value_width();
}

void multiply_rectangle(const Rectangle& at, std::int64_t width, const float* block, const float* panels, float* to) {
  for (std::int64_t key = at.first_key; key < at.end_key; key += kColumnsTogether) {
    const std::int64_t skipped = at.first_strip(key);
    const std::int64_t whole_panels = round_up(std::min(kColumnsTogether, at.end_key - key), products::kPanelColumns);
    products::PanelProduct product{.m = at.queries() - skipped, .n = whole_panels, .k = width};
    product.a = block + skipped * width;
    product.a_row = width;
    product.b = panels + key * width;
    product.b_rows = width;
    product.c = to + skipped * kScoreStride + key - at.first_key;
    product.c_row = kScoreStride;
    products::multiply_panels(product);
  }
}

void add_rectangle(const Rectangle& at, std::int64_t width, std::int64_t rows, const float* weights,
                   const float* panels, float* to, std::int64_t to_row) {
  for (std::int64_t column = 0; column < width; column += kColumnsTogether) {
    for (std::int64_t strip = at.first_strip(at.first_key); strip < at.queries(); strip += kStrip) {
      products::PanelProduct product{.m = std::min(kStrip, at.queries() - strip),
                                     .n = std::min(kColumnsTogether, width - column)};
      product.k = at.seen(at.begin + strip + product.m - 1);
      product.a = weights + strip * kScoreStride;
      product.a_row = kScoreStride;
      product.b = panels + column * rows + at.first_key * products::kPanelColumns;
      product.b_rows = rows;
      product.c = to + strip * to_row + column;
      product.c_row = to_row;
      product.accumulate = true;
      products::multiply_panels(product);
    }
  }
}

void copy_rows(const float* from, std::int64_t stride, std::int64_t rows, std::int64_t width, float* to) {
  for (std::int64_t row = 0; row < rows; ++row) std::copy_n(from + row * stride, width, to + row * width);
}

}  // namespace chainrule::model::ops

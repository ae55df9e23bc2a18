#pragma once
#include <cstdint>

namespace chainrule::model::products {

// Small products on one thread, for attention: the right factor is packed once into panels of 16 columns and then met
// by many left factors. An element of a product is one chain of multiply-adds in the order of k, so its bits do not
// depend on where it lies or on how many rows are multiplied together.

inline constexpr std::int64_t kPanelColumns = 16;

/// Elements that a factor of k rows and n columns takes in panels: [ceil(n / 16)][k][16], missing columns zero.
std::int64_t panel_elements(std::int64_t k, std::int64_t n);

/// from [k, n], its rows `stride` elements apart -> panels.
void pack_panels(const float* from, std::int64_t stride, std::int64_t k, std::int64_t n, float* panels);
/// The transpose of from [n, k], its rows `stride` elements apart -> panels.
void pack_transposed_panels(const float* from, std::int64_t stride, std::int64_t k, std::int64_t n, float* panels);

/// c [m, n] = (or +=) a [m, k] b [k, n]. Strides are in elements.
struct PanelProduct {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  const float* a = nullptr;
  std::int64_t a_row = 0;     ///< from a row of a to the next
  std::int64_t a_column = 1;  ///< from a column of a to the next
  const float* b = nullptr;   ///< row 0 of the first panel that is used
  std::int64_t b_rows = 0;    ///< rows of the packed factor, of which k are used here; needed where n > 16
  float* c = nullptr;
  std::int64_t c_row = 0;
  bool accumulate = false;
};

/// Rows that are multiplied together; products of a multiple of them are the fastest.
std::int64_t panel_product_rows();

void multiply_panels(const PanelProduct& product);
/// The same with a given number of rows together, 6 or 12.
void multiply_panels(const PanelProduct& product, std::int64_t rows_together);

}  // namespace chainrule::model::products

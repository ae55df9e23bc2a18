#include "io/tensors/write_rows.h"

#include <algorithm>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "io/tensors/bfloat16.h"

namespace chainrule::io::tensors {
namespace {

template <class Element>
std::string_view bytes_of(const std::vector<Element>& elements) {
  return {reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(Element)};
}

void write_values(const std::vector<float>& values, Encoding encoding, files::VerifiedOutput& output) {
  if (encoding == Encoding::f32) return output.write(bytes_of(values));
  std::vector<std::uint16_t> rounded(values.size());
  std::transform(values.begin(), values.end(), rounded.begin(), nearest_bfloat16);
  output.write(bytes_of(rounded));
}

}  // namespace

void write_rows(const TensorSource& source, const std::string& name, Encoding encoding, files::VerifiedOutput& output) {
  if (encoding != Encoding::f32 && encoding != Encoding::bf16) {
    throw std::invalid_argument("tensors are written as f32 or bf16");
  }
  constexpr std::int64_t kSlabElements = 1 << 20;
  const std::vector<std::int64_t> shape = source.shape(name);
  const std::int64_t rows = shape.at(0);
  const std::int64_t row = element_count(std::span(shape).subspan(1)).value();
  const std::int64_t slab_rows = std::max<std::int64_t>(kSlabElements / std::max<std::int64_t>(row, 1), 1);
  std::vector<float> values;
  for (std::int64_t first = 0; first < rows; first += slab_rows) {
    values.resize(static_cast<std::size_t>(std::min(slab_rows, rows - first) * row));
    source.read(name, first, values);
    write_values(values, encoding, output);
  }
}

}  // namespace chainrule::io::tensors

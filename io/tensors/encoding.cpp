#include "io/tensors/encoding.h"

namespace chainrule::io::tensors {
namespace {

std::optional<std::int64_t> product(std::int64_t left, std::int64_t right) {
  std::int64_t result = 0;
  if (left < 0 || right < 0 || __builtin_mul_overflow(left, right, &result)) return std::nullopt;
  return result;
}

}  // namespace

BlockSize block_size(Encoding encoding) {
  switch (encoding) {
    case Encoding::f32: return {1, 4};
    case Encoding::f16:
    case Encoding::bf16: return {1, 2};
    case Encoding::q8_0: return {32, 34};
    case Encoding::q4_0: return {32, 18};
    case Encoding::q4_1: return {32, 20};
  }
  return {};
}

std::string_view name_of(Encoding encoding) {
  switch (encoding) {
    case Encoding::f32: return "f32";
    case Encoding::f16: return "f16";
    case Encoding::bf16: return "bf16";
    case Encoding::q8_0: return "q8_0";
    case Encoding::q4_0: return "q4_0";
    case Encoding::q4_1: return "q4_1";
  }
  return {};
}

std::optional<std::int64_t> element_count(std::span<const std::int64_t> shape) {
  std::optional<std::int64_t> count = 1;
  for (const std::int64_t extent : shape) {
    count = product(*count, extent);
    if (!count) break;
  }
  return count;
}

std::optional<std::int64_t> row_bytes(BlockSize block, std::int64_t columns) {
  if (columns % block.elements != 0) return std::nullopt;
  return product(columns / block.elements, block.bytes);
}

std::optional<std::int64_t> tensor_bytes(BlockSize block, std::span<const std::int64_t> shape) {
  if (!element_count(shape)) return std::nullopt;
  const auto row = row_bytes(block, shape.empty() ? 1 : shape.back());
  const auto rows = shape.empty() ? 1 : element_count(shape.first(shape.size() - 1));
  return row && rows ? product(*row, *rows) : std::nullopt;
}

}  // namespace chainrule::io::tensors

#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace chainrule::io::tensors {

/// How the elements of a tensor lie in a file; numbers are little-endian, q is unsigned where nothing is said.
/// Quantised rows are cut into blocks of 32 elements (ggml's):
///   q8_0  34 bytes: f16 d, 32 signed bytes q; x = d q
///   q4_0  18 bytes: f16 d, 16 bytes; low nibbles are elements 0-15, high ones 16-31; x = d (q - 8)
///   q4_1  20 bytes: f16 d, f16 m, nibbles as in q4_0; x = d q + m
enum class Encoding { f32, f16, bf16, q8_0, q4_0, q4_1 };

/// What a type is stored in: blocks of so many elements and bytes.
struct BlockSize {
  std::int64_t elements;
  std::int64_t bytes;
};
BlockSize block_size(Encoding encoding);

/// "f32", "q4_0": for messages and listings.
std::string_view name_of(Encoding encoding);

/// Elements of a shape (1 of none); nothing for a dimension below 0, or where they exceed 2^63 - 1.
std::optional<std::int64_t> element_count(std::span<const std::int64_t> shape);

/// Bytes of a row of `columns` elements, so the stride from one row to the next; nothing where the row is not a whole
/// number of blocks, or the bytes exceed 2^63 - 1.
std::optional<std::int64_t> row_bytes(BlockSize block, std::int64_t columns);

/// Bytes of a tensor whose rows are its last dimension; nothing where element_count or row_bytes give nothing, or the
/// bytes exceed 2^63 - 1.
std::optional<std::int64_t> tensor_bytes(BlockSize block, std::span<const std::int64_t> shape);

}  // namespace chainrule::io::tensors

#pragma once
#include <cstddef>
#include <cstdint>

namespace chainrule::model::weights {

/// How the elements of a matrix's row lie in memory, little-endian. Those of q8_0, q4_0 and q4_1 lie in blocks of 32
/// with a scale each (ggml's types of these names).
enum class Encoding { f32, f16, bf16, q8_0, q4_0, q4_1 };

/// Elements of a block; a row is a whole number of blocks.
std::int64_t block_elements(Encoding encoding);
/// Bytes of so many elements, whole blocks of them.
std::int64_t encoded_bytes(Encoding encoding, std::int64_t elements);

/// values [count] = elements [first, first + count) of a row, in float32: exact, but that q4_1 rounds a sum. first is
/// at a block's beginning.
void decode(Encoding encoding, const std::byte* row, std::int64_t first, std::int64_t count, float* values);
/// The same element by element: what decode is tested against.
void decode_reference(Encoding encoding, const std::byte* row, std::int64_t first, std::int64_t count, float* values);

}  // namespace chainrule::model::weights

#include "model/weights/encoding.h"

#include <bit>
#include <cstring>

#include "model/simd/multiversion.h"
#include "model/weights/half.h"

namespace chainrule::model::weights {
namespace {

constexpr std::int64_t kBlock = 32;

template <typename Value>
inline __attribute__((always_inline)) Value load(const std::byte* from) {
  Value value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

CHAINRULE_MULTIVERSION
void decode_f16(const std::byte* from, std::int64_t count, float* values) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) values[i] = half_to_float(load<std::uint16_t>(from + 2 * i));
}

CHAINRULE_MULTIVERSION
void decode_bf16(const std::byte* from, std::int64_t count, float* values) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    values[i] = std::bit_cast<float>(static_cast<std::uint32_t>(load<std::uint16_t>(from + 2 * i)) << 16U);
  }
}

CHAINRULE_MULTIVERSION
void decode_q8_0(const std::byte* from, std::int64_t count, float* values) {
  for (std::int64_t at = 0; at < count; at += kBlock, from += 34) {
    const float scale = half_to_float(load<std::uint16_t>(from));
    const std::int64_t here = count - at < kBlock ? count - at : kBlock;
#pragma omp simd
    for (std::int64_t i = 0; i < here; ++i) {
      values[at + i] = scale * static_cast<float>(static_cast<std::int8_t>(from[2 + i]));
    }
  }
}

/// A block's 32 numbers of four bits, from low halves of its 16 bytes and then from high ones.
inline __attribute__((always_inline)) void take_nibbles(const std::byte* bytes, float* numbers) {
#pragma omp simd
  for (std::int64_t i = 0; i < kBlock / 2; ++i) {
    const auto pair = static_cast<std::uint8_t>(bytes[i]);
    numbers[i] = static_cast<float>(pair & 15U);
    numbers[i + kBlock / 2] = static_cast<float>(pair >> 4U);
  }
}

CHAINRULE_MULTIVERSION
void decode_q4_0(const std::byte* from, std::int64_t count, float* values) {
  float numbers[kBlock];
  for (std::int64_t at = 0; at < count; at += kBlock, from += 18) {
    const float scale = half_to_float(load<std::uint16_t>(from));
    const std::int64_t here = count - at < kBlock ? count - at : kBlock;
    take_nibbles(from + 2, numbers);
#pragma omp simd
    for (std::int64_t i = 0; i < here; ++i) values[at + i] = scale * (numbers[i] - 8.0F);
  }
}

CHAINRULE_MULTIVERSION
void decode_q4_1(const std::byte* from, std::int64_t count, float* values) {
  float numbers[kBlock];
  for (std::int64_t at = 0; at < count; at += kBlock, from += 20) {
    const float scale = half_to_float(load<std::uint16_t>(from));
    const float least = half_to_float(load<std::uint16_t>(from + 2));
    const std::int64_t here = count - at < kBlock ? count - at : kBlock;
    take_nibbles(from + 4, numbers);
#pragma omp simd
    for (std::int64_t i = 0; i < here; ++i) values[at + i] = scale * numbers[i] + least;
  }
}

/// One element of a block of numbers of four bits, behind `head` bytes.
float nibble(const std::byte* block, std::int64_t head, std::int64_t i) {
  const auto pair = static_cast<std::uint8_t>(block[head + i % 16]);
  return static_cast<float>(i < 16 ? pair & 15U : pair >> 4U);
}

}  // namespace

std::int64_t block_elements(Encoding encoding) {
  return encoding == Encoding::q8_0 || encoding == Encoding::q4_0 || encoding == Encoding::q4_1 ? kBlock : 1;
}

std::int64_t encoded_bytes(Encoding encoding, std::int64_t elements) {
  switch (encoding) {
    case Encoding::f32: return 4 * elements;
    case Encoding::f16:
    case Encoding::bf16: return 2 * elements;
    case Encoding::q8_0: return elements / kBlock * 34;
    case Encoding::q4_0: return elements / kBlock * 18;
    case Encoding::q4_1: return elements / kBlock * 20;
  }
  return 0;
}

void decode(Encoding encoding, const std::byte* row, std::int64_t first, std::int64_t count, float* values) {
  const std::byte* from = row + encoded_bytes(encoding, first);
  switch (encoding) {
    case Encoding::f32: std::memcpy(values, from, static_cast<std::size_t>(count) * sizeof(float)); break;
    case Encoding::f16: decode_f16(from, count, values); break;
    case Encoding::bf16: decode_bf16(from, count, values); break;
    case Encoding::q8_0: decode_q8_0(from, count, values); break;
    case Encoding::q4_0: decode_q4_0(from, count, values); break;
    case Encoding::q4_1: decode_q4_1(from, count, values); break;
  }
}

void decode_reference(Encoding encoding, const std::byte* row, std::int64_t first, std::int64_t count, float* values) {
  for (std::int64_t each = 0; each < count; ++each) {
    const std::int64_t i = (first + each) % kBlock;
    const std::byte* at =
        row + encoded_bytes(encoding, block_elements(encoding) == 1 ? first + each : first + each - i);
    const auto number = [&](std::int64_t offset) { return half_to_float(load<std::uint16_t>(at + offset)); };
    switch (encoding) {
      case Encoding::f32: values[each] = load<float>(at); break;
      case Encoding::f16: values[each] = number(0); break;
      case Encoding::bf16:
        values[each] = std::bit_cast<float>(static_cast<std::uint32_t>(load<std::uint16_t>(at)) << 16U);
        break;
      case Encoding::q8_0: values[each] = number(0) * static_cast<float>(static_cast<std::int8_t>(at[2 + i])); break;
      case Encoding::q4_0: values[each] = number(0) * (nibble(at, 2, i) - 8.0F); break;
      case Encoding::q4_1: values[each] = number(0) * nibble(at, 4, i) + number(2); break;
    }
  }
}

}  // namespace chainrule::model::weights

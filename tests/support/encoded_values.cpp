#include "tests/support/encoded_values.h"

#include <bit>
#include <cstring>

#include "tests/support/values.h"

namespace chainrule::tests {
namespace {

using model::weights::Encoding;

/// The nearest float16 towards zero of a normal number.
std::uint16_t to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t exponent = (bits >> 23U & 0xFFU) - 112U;
  return static_cast<std::uint16_t>((bits >> 16U & 0x8000U) | exponent << 10U | (bits >> 13U & 0x3FFU));
}

template <typename Value>
void put(std::vector<std::byte>& bytes, Value value) {
  const auto at = bytes.size();
  bytes.resize(at + sizeof value);
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

}  // namespace

std::vector<std::byte> random_encoded(Encoding encoding, std::int64_t elements, std::uint64_t seed) {
  const std::int64_t block = model::weights::block_elements(encoding);
  const std::vector<float> values = normal_values(seed, elements, 0.3);
  const std::vector<std::uint32_t> codes = random_ids(seed + 1, elements, 256);
  std::vector<std::byte> bytes;
  for (std::int64_t at = 0; at < elements; at += block) {
    const float scale = 0.01F + (values[at] < 0 ? -values[at] : values[at]) / 16;
    switch (encoding) {
      case Encoding::f32: put(bytes, values[at]); continue;
      case Encoding::f16: put(bytes, to_half(values[at] < 0 ? -scale : scale)); continue;
      case Encoding::bf16:
        put(bytes, static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(values[at]) >> 16U));
        continue;
      case Encoding::q8_0:
      case Encoding::q4_0: put(bytes, to_half(scale)); break;
      case Encoding::q4_1:
        put(bytes, to_half(scale));
        put(bytes, to_half(-8 * scale));
        break;
    }
    const std::int64_t codes_here = encoding == Encoding::q8_0 ? 32 : 16;
    for (std::int64_t i = 0; i < codes_here; ++i) put(bytes, static_cast<std::uint8_t>(codes[at + i]));
  }
  return bytes;
}

std::vector<float> decoded(Encoding encoding, std::span<const std::byte> bytes, std::int64_t elements) {
  std::vector<float> values(elements);
  model::weights::decode_reference(encoding, bytes.data(), 0, elements, values.data());
  return values;
}

}  // namespace chainrule::tests

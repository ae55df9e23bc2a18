#include "io/hdf5/structure/values.h"

namespace chainrule::io::hdf5::structure {
namespace {

std::size_t padded(std::size_t bytes) { return (bytes + 7) / 8 * 8; }

void check_fixed_point(Fields& body, std::uint32_t order_and_sign, std::uint32_t bytes) {
  body.require((order_and_sign & ~0x09U) == 0, "a fixed-point type with padding");
  body.require(bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8, "a fixed-point type of unknown size");
  body.require(body.u16() == 0, "a fixed-point type that does not begin at its first bit");
  body.require(body.u16() == 8 * bytes, "a fixed-point type that does not fill its bytes");
}

/// The IEEE formats of two, four and eight bytes, little-endian.
struct FloatForm {
  std::uint8_t sign_bit;
  std::uint8_t exponent_bits;
  std::uint32_t exponent_bias;
};

void check_float(Fields& body, std::uint32_t bits, std::uint32_t bytes) {
  body.require(bytes == 2 || bytes == 4 || bytes == 8, "a float of unknown size");
  const FloatForm form = bytes == 2   ? FloatForm{15, 5, 15}
                         : bytes == 4 ? FloatForm{31, 8, 127}
                                      : FloatForm{63, 11, 1023};
  const auto mantissa_bits = static_cast<std::uint8_t>(form.sign_bit - form.exponent_bits);
  constexpr std::uint32_t kLeadingBitImplied = 0x20;
  body.require(bits == (kLeadingBitImplied | std::uint32_t{form.sign_bit} << 8U), "not a little-endian IEEE float");
  const bool ieee = body.u16() == 0 && body.u16() == 8 * bytes && body.u8() == mantissa_bits &&
                    body.u8() == form.exponent_bits && body.u8() == 0 && body.u8() == mantissa_bits &&
                    body.u32() == form.exponent_bias;
  body.require(ieee, "a float that is not IEEE's");
}

}  // namespace

std::uint64_t check_datatype(Fields body) {
  const std::uint8_t class_and_version = body.u8();
  body.require(class_and_version >> 4U == 1, "a datatype of another version than 1");
  const std::uint32_t low = body.u8();
  const std::uint32_t bits = low | std::uint32_t{body.u16()} << 8U;
  const std::uint32_t bytes = body.u32();
  body.require(bytes > 0, "a datatype without bytes");
  switch (class_and_version & 0x0FU) {
    case 0: check_fixed_point(body, bits, bytes); break;
    case 1: check_float(body, bits, bytes); break;
    case 3: body.require((bits & 0x0FU) <= 2 && bits >> 4U <= 1, "a string with unknown padding or characters"); break;
    default: body.refuse("a datatype that is no number and no string of fixed length");
  }
  return bytes;
}

Dataspace read_dataspace(Fields body) {
  Dataspace space;
  body.require(body.u8() == 1, "a dataspace of another version than 1");
  space.rank = body.u8();
  body.require(space.rank <= kMostDimensions, "a dataspace of more than two dimensions");
  const std::uint8_t flags = body.u8();
  body.require(flags <= 1, "a dataspace with unknown flags");
  body.skip(5);
  for (std::size_t i = 0; i < space.rank; ++i) {
    space.extent[i] = body.u64();
    body.require(!__builtin_mul_overflow(space.elements, space.extent[i], &space.elements),
                 "a dataspace of more elements than can be counted");
  }
  for (std::size_t i = 0; flags == 1 && i < space.rank; ++i) {
    body.require(body.u64() >= space.extent[i], "a dimension is larger than its limit");
  }
  return space;
}

/// Version 1 pads name, type and dataspace to multiples of 8; version 3 does not, and names the name's characters.
void check_attribute(Fields body) {
  const std::uint8_t version = body.u8();
  body.require(version == 1 || version == 3, "an attribute of another version than 1 or 3");
  body.require(body.u8() == 0, "an attribute of a shared type");
  const std::uint16_t name_bytes = body.u16();
  body.require(name_bytes > 0, "an attribute without a name");
  const std::uint16_t type_bytes = body.u16();
  const std::uint16_t space_bytes = body.u16();
  if (version == 3) body.require(body.u8() <= 1, "an attribute's name of unknown characters");
  const auto stored = [&](std::size_t bytes) { return version == 1 ? padded(bytes) : bytes; };
  const std::string_view name = body.part(stored(name_bytes)).text();
  body.require(name.find('\0') == name_bytes - std::size_t{1}, "an attribute's name does not end where it should");
  const std::uint64_t element_bytes = check_datatype(body.part(stored(type_bytes)));
  const std::uint64_t elements = read_dataspace(body.part(stored(space_bytes))).elements;
  body.require(elements <= body.left() / element_bytes, "an attribute's value goes beyond its message");
}

}  // namespace chainrule::io::hdf5::structure

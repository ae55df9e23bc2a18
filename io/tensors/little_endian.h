#pragma once
#include <bit>
#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>

namespace chainrule::io::tensors {

static_assert(std::endian::native == std::endian::little, "files of models are little-endian, and so is this program");

/// The number that bytes begin with, whatever they are aligned to; they hold at least its own.
template <class Number>
Number load(std::span<const std::byte> bytes) {
  static_assert(std::is_arithmetic_v<Number>);
  Number value;
  std::memcpy(&value, bytes.data(), sizeof(Number));
  return value;
}

}  // namespace chainrule::io::tensors

#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "io/tensors/gguf/metadata.h"
#include "io/tensors/little_endian.h"

namespace chainrule::io::tensors::gguf {

/// The fields of a GGUF file, taken one after another. Taking more than there is, and refuse(), throw Error bad_data
/// with the file and the byte at which the last field began.
class Fields {
 public:
  /// file_name is in quotes.
  Fields(std::span<const std::byte> file, std::string_view file_name) : file_(file), file_name_(file_name) {}

  template <class Number>
  Number take() {
    return load<Number>(part(sizeof(Number)));
  }
  std::uint32_t u32() { return take<std::uint32_t>(); }
  std::uint64_t u64() { return take<std::uint64_t>(); }
  /// The next bytes.
  std::span<const std::byte> part(std::uint64_t bytes);
  /// A string: u64 length, characters.
  std::span<const std::byte> string();
  /// A name: a string of 1 to most_bytes bytes.
  std::string name(std::size_t most_bytes);
  /// A value: u32 type and what belongs to it. Arrays hold at most kMostElements, and nest at most kDeepestArrays.
  Value value();

  std::size_t position() const { return next_; }
  std::string_view file_name() const { return file_name_; }
  [[noreturn]] void refuse(const std::string& what) const;
  /// As refuse, for what does not lie in one place.
  [[noreturn]] void refuse_file(const std::string& what) const;

 private:
  ValueType value_type();
  Value value(ValueType type, int depth);
  Value array(int depth);

  std::span<const std::byte> file_;
  std::string_view file_name_;
  std::size_t next_ = 0;   ///< first byte not taken yet
  std::size_t field_ = 0;  ///< first byte of what was taken last
};

/// The largest vocabularies have some hundred thousand tokens, and as many merges.
inline constexpr std::uint64_t kMostElements = 1U << 24U;
inline constexpr int kDeepestArrays = 4;

}  // namespace chainrule::io::tensors::gguf

#include "io/tensors/gguf/fields.h"

#include <fmt/format.h>

#include "io/error.h"

namespace chainrule::io::tensors::gguf {

std::span<const std::byte> Fields::part(std::uint64_t bytes) {
  field_ = next_;
  if (bytes > file_.size() - next_) refuse(fmt::format("ends within a field of {} bytes", bytes));
  next_ += static_cast<std::size_t>(bytes);
  return file_.subspan(field_, static_cast<std::size_t>(bytes));
}

std::span<const std::byte> Fields::string() { return part(u64()); }

std::string Fields::name(std::size_t most_bytes) {
  const std::span<const std::byte> characters = string();
  if (characters.empty() || characters.size() > most_bytes) {
    refuse(fmt::format("a name of {} bytes, where 1 to {} are allowed", characters.size(), most_bytes));
  }
  return {reinterpret_cast<const char*>(characters.data()), characters.size()};
}

Value Fields::value() {
  const ValueType type = value_type();
  return value(type, 0);
}

ValueType Fields::value_type() {
  const std::uint32_t type = u32();
  if (type >= kValueTypes) refuse(fmt::format("a value of unknown type {}", type));
  return static_cast<ValueType>(type);
}

Value Fields::value(ValueType type, int depth) {
  if (type == ValueType::array) return array(depth + 1);
  Value value;
  value.type = type;
  value.bytes = type == ValueType::string ? string() : part(fixed_bytes(type));
  if (type == ValueType::boolean && value.bytes.front() > std::byte{1}) refuse("a bool that is neither 0 nor 1");
  return value;
}

Value Fields::array(int depth) {
  if (depth > kDeepestArrays) refuse(fmt::format("arrays nested deeper than {} levels", kDeepestArrays));
  Value whole;
  whole.type = ValueType::array;
  whole.element_type = value_type();
  whole.count = u64();
  if (whole.count > kMostElements) {
    refuse(fmt::format("an array of {} elements; at most {} are read", whole.count, kMostElements));
  }
  const std::size_t begin = next_;
  const std::size_t bytes = fixed_bytes(whole.element_type);
  if (bytes > 0 && whole.element_type != ValueType::boolean) {
    part(whole.count * bytes);
  } else {
    for (std::uint64_t i = 0; i < whole.count; ++i) value(whole.element_type, depth);
  }
  whole.bytes = file_.subspan(begin, next_ - begin);
  return whole;
}

void Fields::refuse(const std::string& what) const { refuse_file(fmt::format("{}, at byte {}", what, field_)); }

void Fields::refuse_file(const std::string& what) const {
  throw Error(ErrorKind::bad_data, fmt::format("{} is no GGUF file that is read: {}", file_name_, what));
}

}  // namespace chainrule::io::tensors::gguf

#include "io/tensors/gguf/metadata.h"

#include <fmt/format.h>

#include <array>

#include "io/error.h"
#include "io/quote.h"
#include "io/tensors/little_endian.h"

namespace chainrule::io::tensors::gguf {
namespace {

struct Form {
  std::string_view name;
  std::size_t bytes;
};

constexpr std::array<Form, kValueTypes> kForms = {{{"u8", 1},
                                                   {"i8", 1},
                                                   {"u16", 2},
                                                   {"i16", 2},
                                                   {"u32", 4},
                                                   {"i32", 4},
                                                   {"f32", 4},
                                                   {"bool", 1},
                                                   {"string", 0},
                                                   {"array", 0},
                                                   {"u64", 8},
                                                   {"i64", 8},
                                                   {"f64", 8}}};

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::string_view name_of(ValueType type) { return kForms[static_cast<std::uint32_t>(type)].name; }

std::size_t fixed_bytes(ValueType type) { return kForms[static_cast<std::uint32_t>(type)].bytes; }

std::vector<std::string> Metadata::keys() const {
  std::vector<std::string> keys;
  keys.reserve(values_.size());
  for (const auto& [key, value] : values_) keys.push_back(key);
  return keys;
}

std::int64_t Metadata::whole_number(const std::string& key) const {
  const Value& found = value(key);
  return whole_number(key, found.type, found.bytes);
}

double Metadata::number(const std::string& key) const {
  const Value& found = value(key);
  return number(key, found.type, found.bytes);
}

bool Metadata::boolean(const std::string& key) const {
  const Value& found = value(key);
  if (found.type != ValueType::boolean) refuse(key, fmt::format("is of type {}, not a bool", name_of(found.type)));
  return found.bytes.front() != std::byte{0};
}

std::string_view Metadata::text(const std::string& key) const {
  const Value& found = value(key);
  if (found.type != ValueType::string) refuse(key, fmt::format("is of type {}, not a string", name_of(found.type)));
  return text_of(found.bytes);
}

std::vector<std::int64_t> Metadata::whole_numbers(const std::string& key) const {
  const Value& found = array(key);
  const std::size_t bytes = fixed_bytes(found.element_type);
  std::vector<std::int64_t> numbers(found.count);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = whole_number(key, found.element_type, found.bytes.subspan(i * bytes));
  }
  return numbers;
}

std::vector<double> Metadata::numbers(const std::string& key) const {
  const Value& found = array(key);
  const std::size_t bytes = fixed_bytes(found.element_type);
  std::vector<double> numbers(found.count);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = number(key, found.element_type, found.bytes.subspan(i * bytes));
  }
  return numbers;
}

std::vector<std::string_view> Metadata::texts(const std::string& key) const {
  const Value& found = array(key);
  if (found.element_type != ValueType::string) {
    refuse(key, fmt::format("is an array of {}, not of strings", name_of(found.element_type)));
  }
  std::vector<std::string_view> texts;
  texts.reserve(found.count);
  for (auto rest = found.bytes; texts.size() < found.count;) {
    const auto bytes = static_cast<std::size_t>(load<std::uint64_t>(rest));
    texts.push_back(text_of(rest.subspan(sizeof(std::uint64_t), bytes)));
    rest = rest.subspan(sizeof(std::uint64_t) + bytes);
  }
  return texts;
}

const Value& Metadata::value(const std::string& key) const {
  const auto found = values_.find(key);
  if (found == values_.end()) refuse(key, "is not there");
  return found->second;
}

const Value& Metadata::array(const std::string& key) const {
  const Value& found = value(key);
  if (found.type != ValueType::array) refuse(key, fmt::format("is of type {}, not an array", name_of(found.type)));
  return found;
}

std::int64_t Metadata::whole_number(const std::string& key, ValueType type, std::span<const std::byte> bytes) const {
  switch (type) {
    case ValueType::u8: return load<std::uint8_t>(bytes);
    case ValueType::i8: return load<std::int8_t>(bytes);
    case ValueType::u16: return load<std::uint16_t>(bytes);
    case ValueType::i16: return load<std::int16_t>(bytes);
    case ValueType::u32: return load<std::uint32_t>(bytes);
    case ValueType::i32: return load<std::int32_t>(bytes);
    case ValueType::i64: return load<std::int64_t>(bytes);
    case ValueType::u64: break;
    default: refuse(key, fmt::format("is of type {}, not a whole number", name_of(type)));
  }
  const auto value = load<std::uint64_t>(bytes);
  if (value > std::uint64_t{INT64_MAX}) refuse(key, fmt::format("is {}, beyond 2^63 - 1", value));
  return static_cast<std::int64_t>(value);
}

double Metadata::number(const std::string& key, ValueType type, std::span<const std::byte> bytes) const {
  if (type == ValueType::f32) return load<float>(bytes);
  if (type == ValueType::f64) return load<double>(bytes);
  refuse(key, fmt::format("is of type {}, not f32 or f64", name_of(type)));
}

void Metadata::refuse(const std::string& key, const std::string& what) const {
  throw Error(ErrorKind::bad_data, fmt::format("{}: GGUF key {} {}", file_name_, in_quotes(key), what));
}

}  // namespace chainrule::io::tensors::gguf

#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chainrule::io::tensors::gguf {

/// Types of values, by their numbers in files.
enum class ValueType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };
inline constexpr std::uint32_t kValueTypes = 13;

/// "u32", "string": for messages.
std::string_view name_of(ValueType type);
/// Bytes of a number or boolean; 0 for strings and arrays.
std::size_t fixed_bytes(ValueType type);

/// A value as it lies in the file, its form checked.
struct Value {
  ValueType type = ValueType::u8;
  ValueType element_type = ValueType::u8;  ///< of an array
  std::uint64_t count = 0;                 ///< elements of an array
  /// A string's characters, a number's bytes, an array's elements as the file holds them.
  std::span<const std::byte> bytes;
};

/// The key-value pairs of a GGUF file, which stays mapped as long as this is used. Getters throw Error bad_data that
/// names file and key where the key is not there, or its value is of another type or range.
class Metadata {
 public:
  Metadata(std::string file_name, std::map<std::string, Value> values)
      : file_name_(std::move(file_name)), values_(std::move(values)) {}

  /// In byte order.
  std::vector<std::string> keys() const;
  bool contains(const std::string& key) const { return values_.contains(key); }

  /// Of any integer type, up to 2^63 - 1.
  std::int64_t whole_number(const std::string& key) const;
  /// Of f32 or f64.
  double number(const std::string& key) const;
  bool boolean(const std::string& key) const;
  std::string_view text(const std::string& key) const;
  /// Arrays of such values.
  std::vector<std::int64_t> whole_numbers(const std::string& key) const;
  std::vector<double> numbers(const std::string& key) const;
  std::vector<std::string_view> texts(const std::string& key) const;
  /// As it lies in the file: some models have an array, of a value a layer, where others have one value.
  const Value& value(const std::string& key) const;

 private:
  const Value& array(const std::string& key) const;
  std::int64_t whole_number(const std::string& key, ValueType type, std::span<const std::byte> bytes) const;
  double number(const std::string& key, ValueType type, std::span<const std::byte> bytes) const;
  [[noreturn]] void refuse(const std::string& key, const std::string& what) const;

  std::string file_name_;  ///< in quotes
  std::map<std::string, Value> values_;
};

}  // namespace chainrule::io::tensors::gguf

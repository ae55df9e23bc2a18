#pragma once
#include <fmt/format.h>

#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

namespace chainrule::io::files {

/// Whether json is a whole number that Value holds. What asks nlohmann for an integer must know: it reads 2.5 as 2, -1
/// and 2^40 as other numbers of 32 bits, and what a fraction beyond the type becomes is undefined.
template <std::integral Value, typename Json>
bool is_whole(const Json& json) {
  if (json.is_number_unsigned()) return std::in_range<Value>(json.template get<std::uint64_t>());
  return json.is_number_integer() && std::in_range<Value>(json.template get<std::int64_t>());
}

/// value = what json holds. Throws nlohmann::json::exception where that is of another type, or no number is_whole
/// takes.
template <typename Json, typename Value>
void read_value(const Json& json, Value& value) {
  if constexpr (std::integral<Value> && !std::same_as<Value, bool>) {
    if (!is_whole<Value>(json)) {
      throw nlohmann::json::type_error::create(302, "a number is not a whole number that fits", nullptr);
    }
  }
  json.get_to(value);
}

/// The member of object as a Value; also where there is none, throws nlohmann::json::exception naming the member.
template <typename Value, typename Json>
Value value_at(const Json& object, const char* member) {
  Value value{};
  if constexpr (std::integral<Value> && !std::same_as<Value, bool>) {
    if (!object.is_object() || !object.contains(member) || !is_whole<Value>(object.at(member))) {
      throw nlohmann::json::type_error::create(302, fmt::format("'{}' is not a whole number that fits", member),
                                               nullptr);
    }
  }
  object.at(member).get_to(value);
  return value;
}

}  // namespace chainrule::io::files

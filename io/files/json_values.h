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

/// The number that a member of an object is. Throws nlohmann::json::exception naming the member where there is none, or
/// it is anything else.
template <std::integral Value, typename Json>
Value whole_number(const Json& object, const char* member) {
  if (!object.is_object() || !object.contains(member) || !is_whole<Value>(object.at(member))) {
    throw nlohmann::json::type_error::create(302, fmt::format("'{}' is not a whole number that fits", member), nullptr);
  }
  return object.at(member).template get<Value>();
}

}  // namespace chainrule::io::files

#include "io/files/json_values.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>

#include "io/files/json_text.h"

namespace chainrule::io::files {
namespace {

TEST(JsonValues, WholeNumbersAreSuchAndFit) {
  const auto read = [](const char* text, auto value) {
    const nlohmann::json json = parse_json(fmt::format("{{\"a\":{}}}", text));
    EXPECT_EQ(whole_number<decltype(value)>(json, "a"), value) << text;
    decltype(value) found = 0;
    read_value(json.at("a"), found);
    EXPECT_EQ(found, value) << text;
  };
  read("18446744073709551615", std::uint64_t{18446744073709551615U});
  read("-9223372036854775808", std::int64_t{INT64_MIN});
  read("4294967295", std::uint32_t{4294967295U});
  const auto refused = [](const char* text, auto value) {
    const nlohmann::json json = parse_json(fmt::format("{{\"a\":{}}}", text));
    EXPECT_THROW(whole_number<decltype(value)>(json, "a"), nlohmann::json::exception) << text;
    EXPECT_THROW(read_value(json.at("a"), value), nlohmann::json::exception) << text;
  };
  for (const char* text : {"2.5", "1e3", "-5.55e33", "-1", "18446744073709551616", "null", "true", "\"3\"", "[3]"}) {
    refused(text, std::uint64_t{});
    refused(text, std::uint32_t{});
  }
  refused("4294967296", std::uint32_t{});
  refused("9223372036854775808", std::int64_t{});
  EXPECT_THROW(whole_number<std::int64_t>(nlohmann::json::object(), "a"), nlohmann::json::exception);
  EXPECT_THROW(whole_number<std::int64_t>(nlohmann::json(3), "a"), nlohmann::json::exception);
}

}  // namespace
}  // namespace chainrule::io::files

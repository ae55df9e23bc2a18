#include "io/files/untrusted_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "io/error.h"
#include "io/files/json_text.h"
#include "io/quote.h"

namespace chainrule::io::files {
namespace {

using ::testing::HasSubstr;

std::string refusal_of(const std::string& text) {
  try {
    parse_untrusted_json(text, "'it'");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_data);
    return error.what();
  }
  return "";
}

TEST(UntrustedJson, ValuesAreWhatTheLibraryReads) {
  for (const std::string text :
       {"{}", "[]", "null", "true", "-3", "18446744073709551615", "1e308", "\"\\u00e9\\n\"",
        R"({"a":[1,[2,{"b":null}],{"c":{"d":[]}}],"b":{"a":-1.5,"z":[false,"x"]},"":{}})", "\xEF\xBB\xBF[1]"}) {
    EXPECT_EQ(parse_untrusted_json(text, "it"), nlohmann::json::parse(text)) << text;
  }
}

TEST(UntrustedJson, WhatIsWrongIsNamedWithItsPlaceAndNothingOfTheText) {
  EXPECT_EQ(refusal_of("{\n \"a\": 1,\n \"b\" 2}"), "'it' is not JSON: line 3, byte 17: malformed");
  EXPECT_EQ(refusal_of("[1e999]"), "'it' is not JSON: line 1, byte 6: a number that no double holds");
  EXPECT_EQ(refusal_of("[-1e999]"), "'it' is not JSON: line 1, byte 7: a number that no double holds");
  EXPECT_EQ(refusal_of("{\"a\": 1, \"a\": 1}"), "'it' is not JSON: an object has a key twice");
  EXPECT_THAT(refusal_of(""), HasSubstr("malformed"));
  EXPECT_THAT(refusal_of("[1] 2"), HasSubstr("malformed"));
  EXPECT_THAT(refusal_of("[\"\xFF\"]"), HasSubstr("malformed"));
  EXPECT_THAT(refusal_of("[\x1b]"), HasSubstr("malformed"));
  EXPECT_LT(refusal_of("[\"" + std::string(1'000'000, 'x') + "\x01\"]").size(), 100U);
}

TEST(UntrustedJson, AZeroByteDoesNotEndTheText) {
  for (const std::string_view text : {std::string_view("0\0", 2), std::string_view("[1]\0[2]", 7),
                                      std::string_view("{\"a\":\0 1}", 9), std::string_view("\0{}", 3)}) {
    EXPECT_THAT(refusal_of(std::string(text)), HasSubstr("malformed")) << text.size();
    EXPECT_TRUE(parse_json_if_valid(text).is_discarded()) << text.size();
    EXPECT_TRUE(parse_ordered_json_if_valid(text).is_discarded()) << text.size();
    EXPECT_THROW(parse_json(text), nlohmann::json::exception) << text.size();
  }
  EXPECT_EQ(refusal_of(std::string("[1]\0[2]", 7)), "'it' is not JSON: line 1, byte 4: malformed");
  EXPECT_EQ(parse_untrusted_json(R"("\u0000")", "it"), std::string(1, '\0'));
}

TEST(Json, NothingOfAMalformedTextIsInWhatIsSaid) {
  for (const std::string& text :
       {std::string(1'000'000, '\n') + "}", "[\"" + std::string(1'000'000, 'x') + "\x01\"]"}) {
    try {
      parse_json(text);
      FAIL();
    } catch (const nlohmann::json::exception& error) {
      EXPECT_THAT(error.what(), HasSubstr("malformed"));
      EXPECT_LT(std::string_view(error.what()).size(), 100U);
    }
  }
}

TEST(Json, NothingOfANumberThatNoDoubleHoldsIsInWhatIsSaid) {
  try {
    parse_json("[1" + std::string(1'000'000, '0') + "]");
    FAIL();
  } catch (const nlohmann::json::exception& error) {
    EXPECT_THAT(error.what(), HasSubstr("a number that no double holds"));
    EXPECT_LT(std::string_view(error.what()).size(), 100U);
  }
}

TEST(UntrustedJson, DepthIsBoundedForArraysAndObjects) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(refusal_of(nested(kDeepestJson)), "");
  EXPECT_THAT(refusal_of(nested(kDeepestJson + 1)), HasSubstr("nested deeper than 128 levels"));
  EXPECT_THAT(refusal_of(nested(3'000'000)), HasSubstr("nested deeper"));
  std::string objects;
  for (int i = 0; i < 300'000; ++i) objects += "{\"a\":";
  EXPECT_THAT(refusal_of(objects), HasSubstr("nested deeper"));
  EXPECT_EQ(refusal_of("[" + nested(100) + "," + nested(100) + "]"), "");
}

TEST(Errors, HaveMessagesOfOneLine) {
  EXPECT_STREQ(Error(ErrorKind::bad_data, "'a' has\n\x1b[2J\xFF").what(), "'a' has\\u{a}\\u{1b}[2J\\xff");
}

TEST(Quotes, HoldNothingThatMovesATerminal) {
  EXPECT_EQ(in_quotes("a b\u00e9\u4e16"), "'a b\u00e9\u4e16'");
  EXPECT_EQ(in_quotes("\x1b[2J\n\r\t\x7f"), "'\\u{1b}[2J\\u{a}\\u{d}\\u{9}\\u{7f}'");
  EXPECT_EQ(in_quotes("\xFFx\xE4\xB8"), "'\\xffx\\xe4\\xb8'");
  EXPECT_EQ(in_quotes("\u202Eabc\u200B\u2028"), "'\\u{202e}abc\\u{200b}\\u{2028}'");
  EXPECT_EQ(on_one_line("a\n\x1b" + std::string(300, 'x')), "a\\u{a}\\u{1b}" + std::string(300, 'x'));
  EXPECT_EQ(in_quotes("abcdef", 3), "'abc…'");
  EXPECT_EQ(in_quotes("ab\u00e9", 3), "'ab…'");
  EXPECT_EQ(in_quotes("abc", 3), "'abc'");
  EXPECT_EQ(path_in_quotes(std::string(300, 'x')).size(), 302U);
}

}  // namespace
}  // namespace chainrule::io::files

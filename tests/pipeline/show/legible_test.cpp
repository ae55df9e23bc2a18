#include "pipeline/show/legible.h"

#include <gtest/gtest.h>

namespace chainrule::pipeline::show {
namespace {

TEST(Legible, SpacesAndLineFeedsCanBeSeen) {
  EXPECT_EQ(legible(" the"), "␣the");
  EXPECT_EQ(legible("\n\t\r\n"), "⏎⇥␍⏎");
  EXPECT_EQ(legible(" a b", Spaces::kept), " a b");
  EXPECT_EQ(legible("héllo 木"), "héllo␣木");
}

TEST(Legible, PartsOfCharactersAreBytes) {
  EXPECT_EQ(legible("\xe2\x82"), "\\xe2\\x82");
  EXPECT_EQ(legible("\xac!"), "\\xac!");
  EXPECT_EQ(legible("a\xff"), "a\\xff");
}

TEST(Legible, NothingMovesTheCursorOrHides) {
  EXPECT_EQ(legible("\x1b[2J"), "\\u{1b}[2J");
  EXPECT_EQ(legible("a\u202eb\u200b\u00a0\u0085"), "a\\u{202e}b\\u{200b}\\u{a0}\\u{85}");
  EXPECT_EQ(legible("\u0301e"), "◌\u0301e");
}

TEST(Legible, CutsBetweenCharactersOfTheSource) {
  EXPECT_EQ(legible_beginning("abc", 3), "abc");
  EXPECT_EQ(legible_beginning("abcd", 3), "ab…");
  EXPECT_EQ(legible_end("abcd", 3), "…cd");
  // \u{200b} takes eight columns, whole or not at all.
  EXPECT_EQ(legible_beginning("a\u200bcd", 9), "a…");
  EXPECT_EQ(legible_beginning("a\u200bcd", 10), "a\\u{200b}…");
  EXPECT_EQ(legible_end("ab\u200bd", 9), "…d");
  EXPECT_EQ(legible_end("ab\u200bd", 10), "…\\u{200b}d");
  // Wide characters count twice, marks stay with what they are on or go with it.
  EXPECT_EQ(legible_beginning("木木木", 5), "木木…");
  EXPECT_EQ(legible_end("木木木", 4), "…木");
  EXPECT_EQ(legible_beginning("ae\u0301bc", 3), "ae\u0301…");
  EXPECT_EQ(legible_end("ae\u0301bc", 3), "…bc");
  EXPECT_EQ(legible_end("ae\u0301b", 3), "ae\u0301b");
}

TEST(Legible, ControlCharactersAreMadeHarmless) {
  EXPECT_EQ(without_controls("a\n\tb\x1b[2J\x7f\u0085 \u200d"), "a\n\tb\\u{1b}[2J\\u{7f}\\u{85} \u200d");
  EXPECT_EQ(without_controls("x\r\n\xe2\x82"), "x␍\n\uFFFD\uFFFD");
}

TEST(Legible, Columns) {
  EXPECT_EQ(columns_of("abc"), 3U);
  EXPECT_EQ(columns_of("木é␣"), 4U);
  EXPECT_EQ(columns_of("◌\u0301"), 1U);
}

TEST(Legible, ValidUtf8ReplacesWhatIsNone) {
  EXPECT_EQ(valid_utf8("a\xe2\x82z"), "a\uFFFD\uFFFDz");
  EXPECT_EQ(valid_utf8("a€z"), "a€z");
}

TEST(Legible, WholeCharactersStopBeforeOneThatIsBegun) {
  const std::string euro = "€";            // three bytes
  const std::string smile = "\U0001F600";  // four bytes
  for (const std::string& character : {euro, smile, std::string("é")}) {
    for (std::size_t bytes = 1; bytes < character.size(); ++bytes) {
      EXPECT_EQ(whole_characters("ab" + character.substr(0, bytes)), 2U) << bytes;
    }
    EXPECT_EQ(whole_characters("ab" + character), 2 + character.size());
  }
  // What can never become a character is not waited for.
  EXPECT_EQ(whole_characters("a\xff"), 2U);
  EXPECT_EQ(whole_characters("a\x80\x80\x80\x80"), 5U);
  EXPECT_EQ(whole_characters(""), 0U);
}

}  // namespace
}  // namespace chainrule::pipeline::show

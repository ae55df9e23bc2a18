#include "io/tokenizer/splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>

#include "io/error.h"
#include "io/text/characters.h"
#include "io/tokenizer/pre_tokenizer.h"
#include "tests/io/tokenizer/fixture.h"

namespace chainrule::io::tokenizer {
namespace {

using testing::ElementsAre;

std::vector<std::string> pieces_of(const Splitter& splitter, std::string_view text) {
  std::vector<std::string> pieces;
  const std::string masked = text::with_invalid_bytes_masked(text);
  auto matcher = splitter.matcher();
  splitter.cut({text, masked}, matcher,
               [&](std::size_t begin, std::size_t end) { pieces.emplace_back(text.substr(begin, end - begin)); });
  return pieces;
}

Splitter isolating(const std::string& pattern) { return Splitter(Split{.pattern = pattern}); }

/// Where the piece of text that begins at `begin` ends.
std::size_t piece_end(const Pattern& pattern, std::string_view text, std::size_t begin) {
  const auto found = Pattern::Matcher(pattern).find(text, begin);
  if (!found) return text.size();
  return found->begin > begin ? found->begin : found->end;
}

/// GPT-2's pattern in brackets is another string with the same matches, which goes through PCRE2.
const Splitter& oracle() {
  static const Splitter splitter = isolating(std::string("(?:") + kGpt2Pattern + ")");
  return splitter;
}

std::string utf8(utf8proc_int32_t point) {
  std::array<utf8proc_uint8_t, 4> bytes{};
  const auto length = utf8proc_encode_char(point, bytes.data());
  return std::string(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(length));
}

/// PCRE2's answer to the question that characters.h answers with utf8proc.
text::CharacterClass class_by_pattern(const std::string& character) {
  static const Pattern letter(R"(\p{L})");
  static const Pattern number(R"(\p{N})");
  static const Pattern space(R"(\s)");
  static Pattern::Matcher letters(letter), numbers(number), spaces(space);  // costly to make, for each code point
  const auto matches = [&](Pattern::Matcher& matcher) { return matcher.find(character, 0).has_value(); };
  if (matches(letters)) return text::CharacterClass::letter;
  if (matches(numbers)) return text::CharacterClass::number;
  return matches(spaces) ? text::CharacterClass::space : text::CharacterClass::other;
}

/// Every code point on which the two libraries differ.
const std::vector<bool>& differing() {
  static const std::vector<bool> points = [] {
    std::vector<bool> differ(0x110000);
    for (utf8proc_int32_t point = 0; point < 0x110000; ++point) {
      if (point >= 0xD800 && point <= 0xDFFF) continue;
      const std::string character = utf8(point);
      differ[static_cast<std::size_t>(point)] = text::character_at(character, 0).kind != class_by_pattern(character);
    }
    return differ;
  }();
  return points;
}

TEST(Characters, AgreeWithPcre2OnEveryCodePointBothUnicodeVersionsKnow) {
  // Versions of Unicode add characters; they do not move old ones between letters, numbers, spaces and the rest. So
  // where the libraries differ, one of them takes the code point for unassigned.
  static const Pattern unassigned(R"(\p{Cn})");
  int different = 0;
  for (utf8proc_int32_t point = 0; point < 0x110000; ++point) {
    if (!differing()[static_cast<std::size_t>(point)]) continue;
    ++different;
    const std::string character = utf8(point);
    const bool new_to_pcre2 = piece_end(unassigned, character + "a", 0) == character.size();
    EXPECT_TRUE(new_to_pcre2 || utf8proc_category(point) == UTF8PROC_CATEGORY_CN) << "code point " << point;
  }
  EXPECT_LT(different, 30'000) << "utf8proc " << utf8proc_unicode_version() << ", " << pattern_engine_version();
}

TEST(Characters, WhiteSpaceListsExactlyTheSpaces) {
  const std::vector<text::CodePoints>& ranges = text::white_space();
  for (std::uint32_t point = 0; point <= text::kLastCodePoint; ++point) {
    if (point >= 0xD800 && point <= 0xDFFF) continue;
    const bool listed = std::any_of(ranges.begin(), ranges.end(),
                                    [&](const auto& each) { return each.first <= point && point <= each.last; });
    const std::string character = utf8(static_cast<utf8proc_int32_t>(point));
    ASSERT_EQ(listed, text::character_at(character, 0).kind == text::CharacterClass::space) << "code point " << point;
  }
  EXPECT_EQ(ranges.size(), 10U);  // of 25 code points in all, since Unicode 6.3
}

TEST(Splitter, CutsAsThePatternDoesOnRandomText) {
  const Splitter splitter = isolating(kGpt2Pattern);
  std::mt19937 random(3);
  for (int round = 0; round < 3000; ++round) {
    std::string text = random_text(random, static_cast<int>(random() % 30));
    for (auto i = random() % 12; i > 0; --i) {
      const auto point = static_cast<utf8proc_int32_t>(random() % (i % 3 == 0   ? 0x110000U
                                                                   : i % 3 == 1 ? 0x3000U
                                                                                : 0x80U));
      if ((point >= 0xD800 && point <= 0xDFFF) || differing()[static_cast<std::size_t>(point)]) continue;
      text += utf8(point);
    }
    ASSERT_EQ(pieces_of(splitter, text), pieces_of(oracle(), text)) << testing::PrintToString(text);
  }
}

/// The scanners of other families against PCRE2, which a pattern in brackets goes to.
TEST(Splitter, ScannersCutAsTheirPatternsDo) {
  for (const char* pattern : {kLlama3Pattern, kQwen2Pattern, kQwen35Pattern, kLlama4Pattern, kDeepSeekPattern,
                              kDeepSeekIdeographs, kNumbersOfThree}) {
    const Splitter splitter = isolating(pattern);
    const Splitter engine = isolating(std::string("(?:") + pattern + ")");
    std::mt19937 random(7);
    for (int round = 0; round < 2000; ++round) {
      std::string text = random_text(random, static_cast<int>(random() % 20));
      for (auto i = random() % 20; i > 0; --i) text += static_cast<char>(random() % 0x80U);
      ASSERT_EQ(pieces_of(splitter, text), pieces_of(engine, text)) << pattern << testing::PrintToString(text);
    }
  }
}

TEST(Splitter, CutsInvalidBytesAsThePatternDoes) {
  const Splitter splitter = isolating(kGpt2Pattern);
  std::mt19937 random(4);
  for (int round = 0; round < 3000; ++round) {
    std::string text = random_text(random, 8);
    for (int i = 0; i < 6; ++i) text[random() % text.size()] = static_cast<char>(0x80U | (random() & 0x7FU));
    bool known_to_both = true;
    for (std::size_t at = 0; at < text.size();) {
      utf8proc_int32_t point = 0;
      const auto bytes = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                                          static_cast<utf8proc_ssize_t>(text.size() - at), &point);
      if (bytes > 0 && differing()[static_cast<std::size_t>(point)]) known_to_both = false;
      at += bytes > 0 ? static_cast<std::size_t>(bytes) : 1U;
    }
    if (known_to_both) {
      ASSERT_EQ(pieces_of(splitter, text), pieces_of(oracle(), text)) << testing::PrintToString(text);
    }
  }
}

TEST(Splitter, KnownPieces) {
  const Splitter splitter = isolating(kGpt2Pattern);
  EXPECT_THAT(pieces_of(splitter, "we've 'quoted' it''s"),
              ElementsAre("we", "'ve", " '", "quoted", "'", " it", "''", "s"));
  EXPECT_THAT(pieces_of(splitter, "a   b \n"), ElementsAre("a", "  ", " b", " \n"));
  EXPECT_THAT(pieces_of(splitter, "a\n\nb"), ElementsAre("a", "\n", "\n", "b"));
  EXPECT_THAT(pieces_of(splitter, "x=10.5"), ElementsAre("x", "=", "10", ".", "5"));
  EXPECT_THAT(pieces_of(splitter, "a \xe1\xa0\x8e"), ElementsAre("a", " \xe1\xa0\x8e"));  // U+180E is no space
  EXPECT_THAT(pieces_of(splitter, "a\xff\xfe!b"), ElementsAre("a", "\xff\xfe!", "b"));    // invalid bytes are symbols
}

TEST(Splitter, WhatAPatternLeavesOutIsAPieceToo) {
  EXPECT_THAT(pieces_of(isolating(R"(\d{1,2})"), "ab12345\xff"), ElementsAre("ab", "12", "34", "5", "\xff"));
}

TEST(Splitter, OnlyMatchesWhereTheRestIsToBeDropped) {
  EXPECT_THAT(pieces_of(Splitter(Split{.pattern = R"(\d{1,2})", .behavior = SplitBehavior::removed, .invert = true}),
                        "ab12345\xff"),
              ElementsAre("12", "34", "5"));
  EXPECT_THAT(
      pieces_of(Splitter(Split{.pattern = R"(\d{1,2})", .behavior = SplitBehavior::removed, .invert = true}), "ab"),
      ElementsAre());
}

TEST(Pattern, KnowsWhatLeavesNothingOut) {
  EXPECT_TRUE(matches_everything(kGpt2Pattern));
  EXPECT_TRUE(matches_everything(R"((?i:'s|\s+)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+)"));
  EXPECT_FALSE(matches_everything(R"(\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S))"));
  EXPECT_FALSE(matches_everything(R"(\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+|[]|\s+|x])"));
  EXPECT_FALSE(matches_everything(R"((\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+|\s+))"));
}

TEST(Splitter, SettledPrefixesHaveTheSamePiecesWhateverFollows) {
  const Splitter splitter = isolating(kGpt2Pattern);
  std::mt19937 random(5);
  std::size_t settled_bytes = 0;
  for (int round = 0; round < 3000; ++round) {
    const std::string text = random_text(random, 12);
    const std::string cut = text.substr(0, random() % (text.size() + 1));  // also within a character
    const std::size_t settled = PreTokenizer({Split{.pattern = kGpt2Pattern}}).settled_prefix(cut);
    settled_bytes += settled;
    auto parts = pieces_of(splitter, std::string_view(text).substr(0, settled));
    for (auto& piece : pieces_of(splitter, std::string_view(text).substr(settled))) parts.push_back(piece);
    ASSERT_EQ(parts, pieces_of(splitter, text)) << testing::PrintToString(text) << " at " << settled;
  }
  EXPECT_GT(settled_bytes, 10'000U);
}

TEST(Pattern, WritesSpacesOut) {
  const Pattern spaces(R"(\s+|[^\S]+|[a\s]+)");
  const std::string text = "\xe1\xa0\x8e \xe2\x80\x83";  // U+180E, space, U+2003
  EXPECT_EQ(piece_end(spaces, text, 0), 3U);
  EXPECT_EQ(piece_end(spaces, text, 3), text.size());
  EXPECT_EQ(translated(R"(\\s[]\d])"), R"(\\s[]\d])");
}

// U+3002 is written in texts of Han and others, and of none of them.
TEST(Pattern, AScriptMeansItsOwnCharacters) {
  const std::string text = "\xe4\xbd\xa0\xe3\x80\x82x";
  EXPECT_EQ(piece_end(Pattern(R"(\p{Han}+|.)"), text, 0), 3U);
  EXPECT_EQ(piece_end(Pattern(R"(\P{^Han}+|.)"), text, 0), 3U);
  EXPECT_EQ(piece_end(Pattern(R"([\p{^Han}]+|.)"), text, 3), text.size());
}

TEST(Pattern, RefusesWhatItCannotMatchAsWritten) {
  EXPECT_THROW(Pattern("(a"), Error);
  EXPECT_THROW(Pattern("[a&&[b]]"), Error);
  EXPECT_THROW(Pattern("[a[b]]"), Error);
  for (const char* different : {"\\w",
                                "[\\w]",
                                "\\bx",
                                "^x",
                                "x$",
                                "\\h",
                                "\\v",
                                "x{1,2}+",
                                "x{2}?",
                                "x{,2}",
                                "(?m)x",
                                "(?<n>x)",
                                "(*UCP)x",
                                "\\K",
                                "\\R",
                                "\\1",
                                "\\Qx\\E",
                                "\\pL",
                                "[\\PN]",
                                "\\xE9",
                                "[\\x80-\\xff]",
                                "(?i:\\p{Lu}x)",
                                "(?i:[^a])",
                                "(?i:stra\xc3\x9f"
                                "e)",
                                "(?i:Strasse)",
                                "(?i:of|if(?=f)|fi)",
                                "\\p{Alphabetic}",
                                "\\p{xan}",
                                "\\p{L"}) {
    EXPECT_THROW(Pattern{different}, Error) << different;
  }
  for (const char* alike :
       {"\\p{L}+x{1,2}", "(?i:x)|(?=x)(?!y)(?<=z)(?<!z)(?>x)x++", "[^\\]$^]\\^\\$", "\\x{41}\\x41+", "\\x{E9}\\x7f",
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)", "'(?i:[sdmt]|ll|ve|re)", "\\p{Han}\\P{^Greek}[\\p{Latin}\\p{^Lu}]"}) {
    EXPECT_NO_THROW(Pattern{alike}) << alike;
  }
}

}  // namespace
}  // namespace chainrule::io::tokenizer

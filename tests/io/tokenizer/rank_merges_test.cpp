// Merges of ranked tokens, against every cut of every token.
#include "io/tokenizer/rank_merges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "io/error.h"

namespace chainrule::io::tokenizer {
namespace {

using Merges = std::vector<std::pair<std::string, std::string>>;

Merges by_every_cut(const std::vector<std::string_view>& tokens, bool whole_characters) {
  const std::set<std::string_view> known(tokens.begin(), tokens.end());
  Merges merges;
  for (const std::string_view token : tokens) {
    for (std::size_t at = 1; at < token.size(); ++at) {
      if (whole_characters && (static_cast<unsigned char>(token[at]) & 0xC0U) == 0x80U) continue;
      const std::string_view left = token.substr(0, at);
      const std::string_view right = token.substr(at);
      if (known.contains(left) && known.contains(right)) merges.emplace_back(left, right);
    }
  }
  return merges;
}

TEST(RankMerges, AreThoseOfEveryCut) {
  std::mt19937 random(5);
  std::size_t found = 0;
  for (int round = 0; round < 300; ++round) {
    const std::vector<std::string> parts = {"a", "b", "\u00e9", "\u2581", "\xc3", "\xa9"};
    std::set<std::string> made;
    for (int i = 0; i < 60; ++i) {
      std::string token;
      for (auto left = 1 + random() % 7; left > 0; --left) token += parts[random() % (round % 2 == 0 ? 2 : 6)];
      made.insert(token);
    }
    std::vector<std::string> tokens(made.begin(), made.end());
    std::shuffle(tokens.begin(), tokens.end(), random);
    const std::vector<std::string_view> views(tokens.begin(), tokens.end());
    for (const bool whole_characters : {false, true}) {
      const Merges expected = by_every_cut(views, whole_characters);
      EXPECT_EQ(merges_of_ranks(views, whole_characters), expected);
      found += expected.size();
    }
  }
  EXPECT_GT(found, 1000U);
}

// A file may hold anything; cut by cut the first would take hours, and the merges of the second no memory holds.
TEST(RankMerges, OfLongTokensTakeTimeByTheirBytes) {
  const std::string token(std::size_t{8} << 20U, 'a');
  EXPECT_EQ(merges_of_ranks({token, "a", std::string_view(token).substr(1)}, true).size(), 2U);
  std::vector<std::string_view> runs;
  for (std::size_t size = 1; size < 3000; ++size) runs.push_back(std::string_view(token).substr(0, size));
  EXPECT_THROW(merges_of_ranks(runs, true), Error);
  runs.resize(64);
  EXPECT_EQ(merges_of_ranks(runs, true).size(), 64U * 63 / 2);
}

}  // namespace
}  // namespace chainrule::io::tokenizer

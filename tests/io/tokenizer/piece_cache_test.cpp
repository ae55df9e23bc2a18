#include "io/tokenizer/piece_cache.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace chainrule::io::tokenizer {
namespace {

TEST(PieceCache, APieceNeverGetsTheTokensOfAnother) {
  // Far more pieces than slots, which differ in one third of their bytes: slots are shared, tokens may not be.
  for (const std::size_t place : {0U, 8U, 16U}) {
    PieceCache cache;
    std::size_t kept = 0;
    const auto piece_of = [&](TokenId number) {
      std::string piece(PieceCache::kMaximumBytes, 'a');
      return piece.replace(place, 6, std::to_string(100'000 + number));
    };
    for (TokenId number = 0; number < 100'000; ++number) {
      cache.keep(PieceCache::Key(piece_of(number)), std::array<TokenId, 1>{number});
    }
    for (TokenId number = 0; number < 100'000; ++number) {
      const auto found = cache.find(PieceCache::Key(piece_of(number)));
      if (found.empty()) continue;
      ++kept;
      ASSERT_EQ(found.size(), 1U);
      ASSERT_EQ(found[0], number);
    }
    EXPECT_GT(kept, 10'000U) << "at byte " << place;
  }
}

TEST(PieceCache, TrailingZerosAreBytes) {
  PieceCache cache;
  cache.keep(PieceCache::Key("a"), std::array<TokenId, 1>{1});
  const std::string longer("a\0", 2);
  EXPECT_TRUE(cache.find(PieceCache::Key(longer)).empty());
  cache.keep(PieceCache::Key(longer), std::array<TokenId, 2>{1, 2});
  EXPECT_EQ(cache.find(PieceCache::Key(longer)).size(), 2U);
}

TEST(PieceCache, PiecesOfManyTokensAreNotKept) {
  PieceCache cache;
  cache.keep(PieceCache::Key("abcdefghij"), std::array<TokenId, 10>{});
  EXPECT_TRUE(cache.find(PieceCache::Key("abcdefghij")).empty());
}

}  // namespace
}  // namespace chainrule::io::tokenizer

#include "io/tokenizer/byte_pair.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <set>

namespace chainrule::io::tokenizer {
namespace {

/// The definition, applied word for word: look through all pairs, merge the leftmost of the lowest rank, repeat.
template <typename Find>
std::vector<TokenId> merge_naively(const Find& find, std::vector<TokenId> ids) {
  for (;;) {
    MergeTable::Found best{MergeTable::kNoRank, 0};
    std::size_t best_at = 0;
    for (std::size_t at = 0; at + 1 < ids.size(); ++at) {
      const MergeTable::Found found = find(ids[at], ids[at + 1]);
      if (found.rank >= best.rank) continue;
      best = found;
      best_at = at;
    }
    if (best.rank == MergeTable::kNoRank) return ids;
    ids[best_at] = best.result;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best_at) + 1);
  }
}

/// What a MergeTable finds, by looking through all merges.
MergeTable::Found find_naively(const std::vector<Merge>& merges, TokenId left, TokenId right) {
  for (std::uint32_t rank = 0; rank < merges.size(); ++rank) {
    if (merges[rank].left == left && merges[rank].right == right) return {rank, merges[rank].result};
  }
  return {MergeTable::kNoRank, 0};
}

/// Random merges over an alphabet of 4 ids; results are new ids, in any order of ranks.
std::vector<Merge> random_merges(std::mt19937& random, std::size_t count) {
  std::vector<Merge> merges;
  std::set<std::pair<TokenId, TokenId>> known;
  TokenId next = 4;
  while (merges.size() < count) {
    const std::pair<TokenId, TokenId> pair{random() % next, random() % next};
    if (known.insert(pair).second) merges.push_back({pair.first, pair.second, next++});
  }
  std::shuffle(merges.begin(), merges.end(), random);
  return merges;
}

TEST(PieceMerger, MergesAsTheDefinitionSaysAtEveryLength) {
  std::mt19937 random(1);
  PieceMerger merger;
  std::size_t merged = 0;
  for (int round = 0; round < 300; ++round) {
    const auto merges = random_merges(random, 30);
    const MergeTable table(merges);
    std::vector<TokenId> ids(random() % 160);  // on both sides of the change of algorithm
    for (TokenId& id : ids) id = random() % 4;
    const auto expected = merge_naively([&](TokenId a, TokenId b) { return find_naively(merges, a, b); }, ids);
    merged += ids.size() - expected.size();
    merger.merge(table, ids);
    ASSERT_EQ(ids, expected) << "round " << round;
  }
  EXPECT_GT(merged, 1000U);
}

TEST(PieceMerger, LongPiecesMergeAsTheDefinitionSaysWhereRanksAreShared) {
  std::mt19937 random(4);
  PieceMerger merger;
  for (int round = 0; round < 20; ++round) {
    const auto merges = random_merges(random, 60);
    std::vector<TokenId> tied;
    for (TokenId id = 4; id < 64; ++id) {
      if (random() % 2 == 0) tied.push_back(id);
    }
    const MergeTable table(merges, false, tied);
    std::vector<TokenId> ids(2000);
    for (TokenId& id : ids) id = random() % 4;
    const auto expected = merge_naively([&](TokenId a, TokenId b) { return table.find(a, b); }, ids);
    merger.merge(table, ids);
    ASSERT_EQ(ids, expected) << "round " << round;
  }
}

TEST(PieceMerger, OverlappingPairsMergeFromTheLeft) {
  const std::vector<Merge> merges = {{0, 0, 1}, {1, 1, 2}};
  const MergeTable table(merges);
  PieceMerger merger;
  for (const std::size_t length : {7U, 1003U}) {
    std::vector<TokenId> ids(length, 0);
    merger.merge(table, ids);
    std::vector<TokenId> expected(length / 4, 2);
    if (length % 4 >= 2) expected.push_back(1);
    if (length % 2 == 1) expected.push_back(0);
    EXPECT_EQ(ids, expected);
  }
}

TEST(PieceMerger, AMegabyteOfOneLetterTakesWellUnderASecond) {
  std::vector<Merge> merges;
  for (TokenId id = 0; id < 8; ++id) merges.push_back({id, id, id + 1});
  const MergeTable table(merges);
  PieceMerger merger;
  std::vector<TokenId> ids(1'000'000, 0);
  const auto started = std::chrono::steady_clock::now();
  merger.merge(table, ids);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  EXPECT_EQ(ids.size(), 1'000'000U / 256 + 1);  // 1,000,000 = 3906 * 256 + 64
  EXPECT_LT(seconds, 10.0);                     // generous for a busy machine; a quadratic merge takes minutes
}

TEST(MergeTable, FindsWhatItHoldsAndNothingElse) {
  std::mt19937 random(2);
  const auto merges = random_merges(random, 5000);
  const MergeTable table(merges);
  for (std::uint32_t rank = 0; rank < merges.size(); ++rank) {
    const auto found = table.find(merges[rank].left, merges[rank].right);
    ASSERT_EQ(found.rank, rank);
    ASSERT_EQ(found.result, merges[rank].result);
  }
  EXPECT_EQ(table.find(1'000'000, 3).rank, MergeTable::kNoRank);
  EXPECT_EQ(MergeTable({}).find(0, 0).rank, MergeTable::kNoRank);  // the pair of an empty slot's fields
}

}  // namespace
}  // namespace chainrule::io::tokenizer

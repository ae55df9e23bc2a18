// Windows that begin alike, as batches: each window is asked all it wants to know behind just its own tokens.
#include "pipeline/evaluate/requests/shared_batch.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace chainrule::tests {
namespace {

namespace requests = pipeline::evaluate::requests;
using io::tokenizer::TokenId;

/// The inputs up to and with a row, by what its sequence continues.
std::vector<TokenId> tokens_before(const requests::SharedBatch& batch, std::int64_t row) {
  std::size_t index = batch.sequences.size();
  for (std::size_t s = 0; s < batch.sequences.size(); ++s) {
    const model::ops::Sequence& each = batch.sequences[s];
    if (each.first_row <= row && row < each.first_row + each.rows) index = s;
  }
  if (index == batch.sequences.size()) return {};
  std::vector<TokenId> tokens(batch.sequences[index].length());
  model::ops::for_each_stretch(batch.sequences, index, [&](std::int64_t first, std::int64_t begin, std::int64_t end) {
    std::copy_n(batch.inputs.begin() + first, end - begin, tokens.begin() + begin);
  });
  tokens.resize(batch.sequences[index].position + row - batch.sequences[index].first_row + 1);
  return tokens;
}

struct Work {
  std::int64_t batches = 0;
  std::int64_t rows = 0;  ///< in sequences
};

/// Checks all that is promised of the batches.
Work check_batches(const std::vector<requests::ScoredTokens>& windows, const requests::SharingOptions& options) {
  Work work;
  std::map<std::pair<std::size_t, std::size_t>, int> asked;  // of a window at a position
  requests::for_each_shared_batch(windows, options, [&](const requests::SharedBatch& batch) {
    ++work.batches;
    std::int64_t rows = 0;
    for (const model::ops::Sequence& each : batch.sequences) rows += each.rows;
    EXPECT_LE(rows, options.rows);
    work.rows += rows;
    std::set<std::pair<std::int64_t, TokenId>> further;
    for (const auto& each : batch.further) EXPECT_TRUE(further.emplace(each.row, each.target).second);
    std::size_t found = 0;
    for (const requests::Ask& ask : batch.asks) {
      const requests::ScoredTokens& window = windows[ask.window];
      const std::vector<TokenId> before = tokens_before(batch, ask.row);
      ASSERT_LE(before.size(), static_cast<std::size_t>(window.rows()));
      EXPECT_TRUE(std::equal(before.begin(), before.end(), window.tokens.begin()));
      EXPECT_EQ(ask.target, window.tokens[before.size()]);
      ++asked[{ask.window, before.size()}];
      const bool first = batch.targets[ask.row] == ask.target;
      EXPECT_NE(first, further.contains({ask.row, ask.target}));
      found += first ? 0 : 1;
    }
    EXPECT_GE(found, further.size()) << "nothing is computed that nobody asked for";
  });
  std::size_t expected = 0;
  for (std::size_t w = 0; w < windows.size(); ++w) {
    const requests::ScoredTokens& window = windows[w];
    expected += window.scored;
    for (std::int64_t at = window.rows() - window.scored + 1; at <= window.rows(); ++at) {
      EXPECT_EQ((asked[{w, static_cast<std::size_t>(at)}]), 1) << "window " << w << ", position " << at;
    }
  }
  EXPECT_EQ(asked.size(), expected);
  return work;
}

std::vector<requests::ScoredTokens> random_windows(std::uint32_t seed, std::size_t count) {
  std::mt19937 random(seed);
  std::vector<requests::ScoredTokens> windows(count);
  for (requests::ScoredTokens& window : windows) {
    window.tokens.resize(2 + random() % 12);
    for (TokenId& token : window.tokens) token = static_cast<TokenId>(random() % 3);
    window.scored = 1 + random() % window.rows();
  }
  return windows;
}

std::int64_t different_beginnings(const std::vector<requests::ScoredTokens>& windows) {
  std::set<std::vector<TokenId>> beginnings;
  for (const requests::ScoredTokens& window : windows) {
    for (std::int64_t length = 1; length <= window.rows(); ++length) {
      beginnings.insert({window.tokens.begin(), window.tokens.begin() + length});
    }
  }
  return static_cast<std::int64_t>(beginnings.size());
}

TEST(SharedBatch, WhatWindowsBeginWithIsComputedOnce) {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    const std::vector<requests::ScoredTokens> windows = random_windows(seed, 1 + seed * 3);
    const Work work = check_batches(windows, {.rows = 100'000});
    EXPECT_EQ(work.batches, 1);
    EXPECT_EQ(work.rows, different_beginnings(windows)) << "seed " << seed;
  }
}

TEST(SharedBatch, SmallBatchesSayTheSame) {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    const std::vector<requests::ScoredTokens> windows = random_windows(100 + seed, 40);
    EXPECT_GT(check_batches(windows, {.rows = 16 + seed % 20}).batches, 1);
  }
}

TEST(SharedBatch, WindowsOfOtherLengthsShareNothingWhereTheirLengthCounts) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    const std::vector<requests::ScoredTokens> windows = random_windows(200 + seed, 60);
    std::map<std::int64_t, std::vector<requests::ScoredTokens>> by_length;
    for (const requests::ScoredTokens& window : windows) by_length[window.rows()].push_back(window);
    std::int64_t expected = 0;
    for (const auto& [length, some] : by_length) expected += different_beginnings(some);
    EXPECT_EQ(check_batches(windows, {.rows = 100'000, .by_length = true}).rows, expected);
  }
}

TEST(SharedBatch, AFewTokensBehindALongBeginningAreBounded) {
  std::vector<requests::ScoredTokens> windows;
  for (TokenId last = 0; last < 400; ++last) {
    requests::ScoredTokens& window = windows.emplace_back();
    window.tokens.assign(90, 7);
    window.tokens.insert(window.tokens.end(), {last, 1});
    window.scored = 1;
  }
  const Work work = check_batches(windows, {.rows = 500});
  // Each meets 91 positions, and a batch may meet 8 x 500: 43 of them, the beginning of 90 computed for each batch.
  EXPECT_EQ(work.batches, 10);
  EXPECT_EQ(work.rows, 10 * 90 + 400);
}

}  // namespace
}  // namespace chainrule::tests

#include "io/tokenizer/trainer.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "io/tokenizer/byte_map.h"
#include "io/tokenizer/merge_learner.h"
#include "tests/io/tokenizer/fixture.h"

namespace chainrule::io::tokenizer {
namespace {

/// Recounts every pair after every merge.
std::vector<std::pair<TokenId, TokenId>> learn_naively(const std::vector<CountedPiece>& pieces, std::uint32_t tokens) {
  std::map<unsigned char, TokenId> byte_ids;
  for (const unsigned char byte : bytes_in_character_order())
    byte_ids.emplace(byte, static_cast<TokenId>(byte_ids.size()));
  std::vector<std::vector<TokenId>> words;
  for (const auto& piece : pieces) {
    words.emplace_back();
    for (const char each : piece.bytes) words.back().push_back(byte_ids.at(static_cast<unsigned char>(each)));
  }
  std::vector<std::pair<TokenId, TokenId>> merges;
  for (TokenId next = 256; next < tokens; ++next) {
    std::map<std::pair<TokenId, TokenId>, std::uint64_t> counts;
    for (std::size_t w = 0; w < words.size(); ++w) {
      for (std::size_t i = 0; i + 1 < words[w].size(); ++i) counts[{words[w][i], words[w][i + 1]}] += pieces[w].count;
    }
    std::pair<TokenId, TokenId> best;
    std::uint64_t best_count = 1;
    for (const auto& [pair, count] : counts) {
      if (count > best_count) {
        best = pair;
        best_count = count;
      }
    }
    if (best_count < 2) break;
    merges.push_back(best);
    for (auto& word : words) {
      for (std::size_t i = 0; i + 1 < word.size(); ++i) {
        if (word[i] != best.first || word[i + 1] != best.second) continue;
        word[i] = next;
        word.erase(word.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      }
    }
  }
  return merges;
}

std::vector<Merge> learn(const std::vector<CountedPiece>& pieces, std::uint32_t tokens) {
  return learn_merges(pieces, tokens, 2, [](std::uint32_t) {});
}

TEST(MergeLearner, LearnsWhatRecountingLearns) {
  std::mt19937 random(7);
  int compared = 0;
  for (int round = 0; round < 100; ++round) {
    std::vector<CountedPiece> pieces;
    for (int i = 0; i < 30; ++i) {
      std::string bytes(1 + random() % 12, 'a');
      for (char& each : bytes) each = static_cast<char>('a' + random() % (2 + static_cast<unsigned>(round) % 5));
      pieces.push_back({bytes, 1 + random() % 4});
    }
    const auto merges = learn(pieces, 300);
    const auto expected = learn_naively(pieces, 300);
    // A token reached by a second derivation takes no new id, from where the two number differently.
    for (std::size_t rank = 0; rank < merges.size() && merges[rank].result == 256 + rank; ++rank, ++compared) {
      ASSERT_LT(rank, expected.size());
      ASSERT_EQ(std::pair(merges[rank].left, merges[rank].right), expected[rank]) << "round " << round;
    }
  }
  EXPECT_GT(compared, 1000);
}

TEST(MergeLearner, EqualCountsGoToTheSmallerIds) {
  const auto merges = learn({{"cd", 5}, {"ab", 5}, {"ac", 5}}, 257);
  ASSERT_EQ(merges.size(), 1U);
  EXPECT_EQ(merges[0].left, TokenId{'a' - 33});
  EXPECT_EQ(merges[0].right, TokenId{'b' - 33});
}

TEST(Trainer, LearnsTheFixtureAsTheIndependentImplementationDid) {
  TokenizerTrainer trainer;
  trainer.add(files::read_file(fixture("sample.txt")));
  const Tokenizer tokenizer = trainer.train(600, [](std::uint32_t) {});
  EXPECT_EQ(tokenizer.vocabulary_size(), 422U);  // the text has no more pairs that occur twice
  EXPECT_EQ(tokenizer.fingerprint(), Tokenizer::load(fixture("tokenizer.json")).fingerprint());
}

TEST(Trainer, TheOrderOfDocumentsDoesNotMatter) {
  std::mt19937 random(8);
  std::vector<std::string> documents;
  for (int i = 0; i < 50; ++i) documents.push_back(random_text(random, 40));
  TokenizerTrainer forwards;
  TokenizerTrainer backwards;
  for (const auto& each : documents) forwards.add(each);
  for (auto each = documents.rbegin(); each != documents.rend(); ++each) backwards.add(*each);
  EXPECT_EQ(forwards.train(400, [](std::uint32_t) {}).fingerprint(),
            backwards.train(400, [](std::uint32_t) {}).fingerprint());
}

TEST(Trainer, StopsAtTheVocabularyAskedFor) {
  TokenizerTrainer trainer;
  trainer.add(files::read_file(fixture("sample.txt")));
  std::uint32_t last = 0;
  const Tokenizer tokenizer = trainer.train(300, [&](std::uint32_t tokens) { last = tokens; });
  EXPECT_EQ(tokenizer.vocabulary_size(), 300U);
  EXPECT_EQ(tokenizer.end_of_text(), 299U);
  EXPECT_EQ(last, 300U);
  TokenizerTrainer nothing;
  nothing.add("abc");
  EXPECT_EQ(nothing.train(257, [](std::uint32_t) {}).vocabulary_size(), 257U);
}

TEST(Trainer, ForgetsTheRarestPiecesWhenItsMemoryIsFull) {
  TokenizerTrainer trainer({.distinct_pieces = 100, .piece_bytes = 1U << 20U});
  for (int i = 0; i < 1000; ++i) trainer.add(" common");
  for (int i = 0; i < 5000; ++i) trainer.add(" x" + std::to_string(i) + "y");
  EXPECT_GT(trainer.forgotten_pieces(), 3000U);
  const Tokenizer tokenizer = trainer.train(270, [](std::uint32_t) {});
  EXPECT_EQ(encoded(tokenizer, " common").size(), 1U);
}

TEST(Trainer, BoundsTheBytesOfPiecesAndCutsLongOnes) {
  TokenizerTrainer trainer({.distinct_pieces = 1000, .piece_bytes = 2000});
  std::mt19937 random(10);
  for (int i = 0; i < 100; ++i) {
    std::string letters(1000, 'a');
    for (char& each : letters) each = static_cast<char>('a' + random() % 26);
    trainer.add(letters);
  }
  EXPECT_GT(trainer.forgotten_pieces(), 300U);  // 400 parts of at most 256 bytes, of which 2000 bytes are kept
  EXPECT_NO_THROW(trainer.train(260, [](std::uint32_t) {}));
}

}  // namespace
}  // namespace chainrule::io::tokenizer

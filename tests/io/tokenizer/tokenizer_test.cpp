#include "io/tokenizer/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "io/error.h"
#include "tests/io/tokenizer/fixture.h"

namespace chainrule::io::tokenizer {
namespace {

nlohmann::json expected() { return nlohmann::json::parse(files::read_file(fixture("sample.ids.json"))); }

class TokenizerForms : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Files, TokenizerForms, testing::Values("tokenizer.json", "", "gpt2"));

TEST_P(TokenizerForms, EncodeAsTheIndependentImplementationDoes) {
  const Tokenizer tokenizer = Tokenizer::load(fixture(GetParam()));
  const std::string text = files::read_file(fixture("sample.txt"));
  EXPECT_EQ(encoded(tokenizer, text), expected()["sample"].get<std::vector<TokenId>>());
  EXPECT_EQ(tokenizer.decode(encoded(tokenizer, text)), text);
  EXPECT_EQ(tokenizer.fingerprint(), Tokenizer::load(fixture("tokenizer.json")).fingerprint());
}

TEST(Tokenizer, SpecialTokensInTextAreTextUnlessAskedFor) {
  const Tokenizer tokenizer = Tokenizer::load(fixture("tokenizer.json"));
  const std::string text = expected()["text_with_special"];
  EXPECT_EQ(encoded(tokenizer, text), expected()["special_as_text"].get<std::vector<TokenId>>());
  std::vector<TokenId> ids;
  tokenizer.encode_with_special_tokens(text, ids);
  EXPECT_EQ(ids, expected()["special_matched"].get<std::vector<TokenId>>());
  EXPECT_EQ(tokenizer.decode(ids), text);
  EXPECT_TRUE(tokenizer.is_special(tokenizer.end_of_text()));
  EXPECT_FALSE(tokenizer.is_special(0));
}

TEST(Tokenizer, AnyBytesComeBack) {
  const Tokenizer tokenizer = Tokenizer::load(fixture("tokenizer.json"));
  std::mt19937 random(6);
  for (int round = 0; round < 500; ++round) {
    const std::string bytes = round % 2 == 0 ? random_bytes(random, random() % 300) : random_text(random, 20);
    ASSERT_EQ(tokenizer.decode(encoded(tokenizer, bytes)), bytes);
  }
  EXPECT_TRUE(encoded(tokenizer, "").empty());
}

TEST(Tokenizer, EncodingAppends) {
  const Tokenizer tokenizer = Tokenizer::load(fixture("tokenizer.json"));
  std::vector<TokenId> ids = {7};
  tokenizer.encode("text", ids);
  EXPECT_EQ(ids.front(), 7U);
  EXPECT_EQ(tokenizer.decode(std::span(ids).subspan(1)), "text");
}

TEST(Tokenizer, ThreadsEncodeAlike) {
  const Tokenizer tokenizer = Tokenizer::load(fixture("tokenizer.json"));
  const std::string text = files::read_file(fixture("sample.txt"));
  std::vector<std::vector<TokenId>> ids(4);
  std::vector<std::thread> threads;
  for (auto& each : ids) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        each.clear();
        tokenizer.encode(text, each);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& each : ids) EXPECT_EQ(each, ids[0]);
  EXPECT_EQ(ids[0], expected()["sample"].get<std::vector<TokenId>>());
}

TEST(Tokenizer, IdsOutsideTheVocabularyAreRefused) {
  const Tokenizer tokenizer = Tokenizer::load(fixture("tokenizer.json"));
  const std::vector<TokenId> ids = {0, tokenizer.vocabulary_size()};
  EXPECT_THROW(tokenizer.decode(ids), Error);
  EXPECT_FALSE(tokenizer.is_special(tokenizer.vocabulary_size()));
}

TEST(Tokenizer, SavedIsTheSameTokenizerAndTheSameBytes) {
  const files::TemporaryFolder folder;
  const Tokenizer tokenizer = Tokenizer::load(fixture("gpt2"));
  tokenizer.save(folder.path() / "a.json");
  const Tokenizer again = Tokenizer::load(folder.path() / "a.json");
  EXPECT_EQ(again.fingerprint(), tokenizer.fingerprint());
  Tokenizer::load(fixture("tokenizer.json")).save(folder.path() / "b.json");
  EXPECT_EQ(files::read_file(folder.path() / "a.json"), files::read_file(folder.path() / "b.json"));
}

}  // namespace
}  // namespace chainrule::io::tokenizer

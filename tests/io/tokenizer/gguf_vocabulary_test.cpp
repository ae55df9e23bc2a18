// What the tokenizer of a GGUF file is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <optional>

#include "tests/io/tokenizer/families.h"

namespace chainrule::io::tokenizer {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

TEST(GgufVocabulary, IdsOfPiecesAreThoseOfSentencePiece) {
  const Json& made = families()["pieces"];
  const Tokenizer tokenizer = Tokenizer::from_gguf(pieces());
  EXPECT_EQ(tokenizer.start_token(), 1U);
  EXPECT_EQ(tokenizer.end_of_text(), 2U);
  const files::TemporaryFolder folder;
  tokenizer.save(folder.path() / "tokenizer.json");
  const Tokenizer saved = Tokenizer::load(folder.path() / "tokenizer.json");
  EXPECT_EQ(saved.fingerprint(), tokenizer.fingerprint());
  for (std::size_t i = 0; i < made["ids"].size(); ++i) {
    const std::string text = made["texts"][i];
    for (const Tokenizer* one : {&tokenizer, &saved}) {
      EXPECT_EQ(Json(encoded(*one, text)), made["ids"][i]) << testing::PrintToString(text);
    }
    EXPECT_EQ(tokenizer.decode(encoded(tokenizer, text)), text);
  }
}

/// The fixture's tokenizer.json as a GGUF file holds it.
GgufVocabulary bytes() {
  const Json file = Json::parse(files::read_file(fixture("tokenizer.json")));
  GgufVocabulary vocabulary;
  vocabulary.path = "model.gguf";
  vocabulary.model = "gpt2";
  vocabulary.pre = "gpt-2";
  const Json& added = file["added_tokens"];
  vocabulary.tokens.resize(file["model"]["vocab"].size());
  for (const auto& [token, id] : file["model"]["vocab"].items()) vocabulary.tokens.at(id.get<std::size_t>()) = token;
  vocabulary.token_types.resize(vocabulary.tokens.size(), 1);
  for (const Json& token : added) {
    if (token["id"] == vocabulary.tokens.size()) {
      vocabulary.tokens.push_back(token["content"]);
      vocabulary.token_types.push_back(3);
    }
    vocabulary.token_types.at(token["id"].get<std::size_t>()) = 3;
  }
  for (const Json& merge : file["model"]["merges"]) {
    vocabulary.merges.push_back(merge[0].get<std::string>() + " " + merge[1].get<std::string>());
  }
  return vocabulary;
}

TEST(GgufVocabulary, OfBytesEqualsTheTokenizerJsonItWasMadeFrom) {
  const Tokenizer tokenizer = Tokenizer::from_gguf(bytes());
  EXPECT_EQ(tokenizer.fingerprint(), Tokenizer::load(fixture("tokenizer.json")).fingerprint());
}

// llama.cpp puts it there whether the file says so or not, and so do the tokenizers that these files are made from.
TEST(GgufVocabulary, TextsOfLlama2And3BeginWithTheStartTokenUnlessTheFileSaysOtherwise) {
  using Tokens = std::vector<TokenId>;
  const auto before = [](GgufVocabulary vocabulary, const std::string& pre, std::optional<bool> says) {
    vocabulary.pre = pre;
    vocabulary.bos_token_id = 1;
    vocabulary.add_bos_token = says;
    return Tokenizer::from_gguf(vocabulary).template_before();
  };
  for (const char* pre : {"llama-bpe", "llama3", "llama-v3"}) {
    EXPECT_EQ(before(bytes(), pre, std::nullopt), Tokens{1}) << pre;
    EXPECT_EQ(before(bytes(), pre, false), Tokens{}) << pre;
  }
  EXPECT_EQ(before(pieces(), "", std::nullopt), Tokens{1});
  EXPECT_EQ(before(pieces(), "", false), Tokens{});
  for (const char* pre : {"gpt-2", "olmo", "smollm", "llama4", "qwen2", "qwen35", "deepseek-v3"}) {
    EXPECT_EQ(before(bytes(), pre, std::nullopt), Tokens{}) << pre;
    EXPECT_EQ(before(bytes(), pre, true), Tokens{1}) << pre;
  }
}

TEST(GgufVocabulary, FormCIsThatOfTheTokenizerThatIsNamed) {
  for (const auto& [pre, composes] : std::map<std::string, bool>{{"gpt-2", false},
                                                                 {"olmo", true},
                                                                 {"smollm", false},
                                                                 {"llama-bpe", false},
                                                                 {"qwen2", true},
                                                                 {"qwen35", true},
                                                                 {"deepseek-v3", false}}) {
    GgufVocabulary vocabulary = bytes();
    vocabulary.pre = pre;
    vocabulary.bos_token_id = 1;
    const Tokenizer tokenizer = Tokenizer::from_gguf(vocabulary);
    EXPECT_EQ(encoded(tokenizer, "e\u0301") == encoded(tokenizer, "\u00e9"), composes) << pre;
  }
}

TEST(GgufVocabulary, WhatIsNotSupportedIsRefusedByItsKey) {
  using Change = std::function<void(GgufVocabulary&)>;
  const std::vector<std::pair<std::string, Change>> damages = {
      {"'tokenizer.ggml.model' 'bert'", [](auto& v) { v.model = "bert"; }},
      {"'tokenizer.ggml.tokens' is empty", [](auto& v) { v.tokens.clear(); }},
      {"'tokenizer.ggml.token_type' has", [](auto& v) { v.token_types.pop_back(); }},
      {"'tokenizer.ggml.token_type' 9", [](auto& v) { v.token_types[5] = 9; }},
      {"'tokenizer.ggml.token_type' 4294967297", [](auto& v) { v.token_types[5] = 0x100000001; }},
      {"'tokenizer.ggml.scores' has", [](auto& v) { v.scores.pop_back(); }},
      {"'tokenizer.ggml.scores' of token", [](auto& v) { v.scores.back() = std::nanf(""); }},
      {"are equal, as are others", [](auto& v) { v.scores[300] = v.scores[301] = -7.5; }},
      {"'tokenizer.ggml.scores' are all equal", [](auto& v) { v.scores.assign(v.scores.size(), -1000); }},
      {"'tokenizer.ggml.bos_token_id' 480", [](auto& v) { v.bos_token_id = 480; }},
      {"'tokenizer.ggml.bos_token_id' is not there", [](auto& v) { v.bos_token_id.reset(); }},
      {"'tokenizer.ggml.eos_token_id' is not there", [](auto& v) { v.eos_token_id.reset(), v.add_eos_token = true; }},
      {"'byte_fallback' of the model is not supported without the token", [](auto& v) { v.tokens[9] = "x<0x06>"; }},
  };
  for (const auto& [words, change] : damages) {
    GgufVocabulary vocabulary = pieces();
    change(vocabulary);
    EXPECT_THAT(refusal([&] { return Tokenizer::from_gguf(vocabulary); }), HasSubstr(words));
  }
  GgufVocabulary vocabulary = bytes();
  vocabulary.pre = "command-r";
  EXPECT_THAT(refusal([&] { return Tokenizer::from_gguf(vocabulary); }), HasSubstr("'tokenizer.ggml.pre' 'command-r'"));
  vocabulary = bytes();
  vocabulary.merges[3] = "abc";
  EXPECT_THAT(refusal([&] { return Tokenizer::from_gguf(vocabulary); }),
              HasSubstr("'tokenizer.ggml.merges' has 'abc'"));
}
TEST(GgufVocabulary, TokensGoAroundEachTextOfAPair) {
  GgufVocabulary vocabulary = pieces();
  vocabulary.add_eos_token = true;
  const Json post = Json::parse(Tokenizer::from_gguf(vocabulary).to_json())["post_processor"];
  const auto shown = [](const Json& pieces) {
    std::string all;
    for (const Json& piece : pieces) {
      const Json& only = piece.begin().value();
      all += only["id"].get<std::string>() + ":" + std::to_string(only["type_id"].get<int>()) + " ";
    }
    return all;
  };
  EXPECT_EQ(shown(post["single"]), "<s>:0 A:0 </s>:0 ");
  EXPECT_EQ(shown(post["pair"]), "<s>:0 A:0 </s>:0 <s>:1 B:1 </s>:1 ");
}

}  // namespace
}  // namespace chainrule::io::tokenizer

// The forms of tokenizer files that families use, against ids of other libraries.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/io/tokenizer/families.h"

namespace chainrule::io::tokenizer {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

TEST(Families, IdsAreThoseOfTokenizers) {
  const files::TemporaryFolder folder;
  for (const Json& each : families()["files"]) {
    SCOPED_TRACE(each["name"].get<std::string>());
    Json file = families()["base"];
    file.update(each["changes"]);
    files::write_file_atomically(folder.path() / "tokenizer.json", file.dump());
    const Tokenizer tokenizer = Tokenizer::load(folder.path() / "tokenizer.json");
    tokenizer.save(folder.path() / "saved.json");
    const Tokenizer saved = Tokenizer::load(folder.path() / "saved.json");
    EXPECT_EQ(saved.fingerprint(), tokenizer.fingerprint());
    ASSERT_EQ(each["ids"].size(), families()["texts"].size());
    for (std::size_t i = 0; i < each["ids"].size(); ++i) {
      const std::string text = families()["texts"][i];
      EXPECT_EQ(Json(encoded(tokenizer, text)), each["ids"][i]) << testing::PrintToString(text);
      EXPECT_EQ(encoded(saved, text), encoded(tokenizer, text));
    }
  }
}
TEST(Families, WhatWouldFillTheMemoryIsRefused) {
  GgufVocabulary vocabulary = pieces();
  for (std::size_t size = 2; size < 2000; ++size) {
    vocabulary.tokens.emplace_back(size, '=');
    vocabulary.scores.push_back(-1000.0F - static_cast<float>(size));
    vocabulary.token_types.push_back(1);
  }
  EXPECT_THAT(refusal([&] { return Tokenizer::from_gguf(vocabulary); }),
              HasSubstr("'tokenizer.ggml.tokens' can be cut into each other in too many ways"));

  const files::TemporaryFolder folder;
  const auto doubled = [&](int times) {
    Json file = families()["base"];
    auto steps = Json::array();
    for (int i = 0; i < times; ++i) {
      steps.push_back({{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}});
    }
    file["normalizer"] = {{"type", "Sequence"}, {"normalizers", steps}};
    files::write_file_atomically(folder.path() / "tokenizer.json", file.dump());
    return refusal([&] { return Tokenizer::load(folder.path() / "tokenizer.json"); });
  };
  EXPECT_EQ(doubled(10), "loaded");
  EXPECT_THAT(doubled(11), HasSubstr("its normalizers may make a text 2048 times as long"));
}

TEST(Families, DecodersThatAreNotHonouredAreRefused) {
  const Json fuse = {{"type", "Fuse"}};
  const Json strip = {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}};
  const auto replace = [](const char* spelled) {
    return Json{{"type", "Replace"}, {"pattern", {{"String", spelled}}}, {"content", " "}};
  };
  const auto said_of = [](const std::vector<Json>& steps) {
    Json file = families()["base"];
    file["decoder"] = {{"type", "Sequence"}, {"decoders", steps}};
    return refusal([&] { return loaded(file); });
  };
  EXPECT_EQ(said_of({replace("\u2581"), fuse, strip}), "loaded");
  EXPECT_THAT(said_of({replace("\u2581"), strip, fuse}), HasSubstr("decoder Strip is supported"));
  EXPECT_THAT(said_of({replace("\u2581"), strip}), HasSubstr("decoder Strip is supported"));
  EXPECT_THAT(said_of({replace("\u2581"), replace("x"), fuse}), HasSubstr("decoder Replace is supported once"));
}

// The library passes over every such line, of merges.txt and of merges that are texts.
TEST(Families, MergesThatNameAVersionAreNoMerges) {
  Json file = families()["base"];
  const Tokenizer without = loaded(file);
  Json merges = Json::array({"#version: 0.2"});
  for (const Json& merge : file["model"]["merges"]) {
    merges.push_back(merge.is_string() ? merge : Json(merge[0].get<std::string>() + " " + merge[1].get<std::string>()));
    if (merges.size() == 3) merges.push_back("#version again");
  }
  file["model"]["merges"] = merges;
  EXPECT_EQ(loaded(file).fingerprint(), without.fingerprint());
}
TEST(Tiktoken, WhatIsNoPublishedVocabularyIsRefused) {
  const files::TemporaryFolder folder;
  const auto said = [&](const std::string& text) {
    files::write_file_atomically(folder.path() / "x.tiktoken", text);
    return refusal([&] { return Tokenizer::load(folder.path() / "x.tiktoken"); });
  };
  EXPECT_THAT(said("YQ== 0\nYg== 1\n"), HasSubstr("is none of the published vocabularies"));
  EXPECT_THAT(said("YQ== 0\nYg== 2\n"), HasSubstr("line 2 has the rank 2, where 1 comes next"));
  EXPECT_THAT(said("YQ== 0\nYg= 1\n"), HasSubstr("line 2 is not a token in base64"));
  EXPECT_THAT(said("YQ==\n"), HasSubstr("line 1 is not a token in base64"));
  EXPECT_THAT(said("\n\x0e\n\x05<unk>"), HasSubstr("is a SentencePiece model"));
}

}  // namespace
}  // namespace chainrule::io::tokenizer

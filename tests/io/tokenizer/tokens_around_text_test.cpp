// Which tokens begin and end a text, by each of the files that may say so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "tests/io/tokenizer/families.h"

namespace chainrule::io::tokenizer {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

TEST(TokenizerConfig, NamesTheTokensThatBeginAndEndAText) {
  const files::TemporaryFolder folder;
  files::write_file_atomically(folder.path() / "tokenizer.json", families()["base"].dump());
  const auto ends = [&](const char* config) {
    files::write_file_atomically(folder.path() / "tokenizer_config.json", config);
    const Tokenizer tokenizer = Tokenizer::load(folder.path());
    return std::pair(tokenizer.start_token(), tokenizer.end_of_text());
  };
  EXPECT_EQ(ends("{}"), std::pair(2U, 2U));
  EXPECT_EQ(ends(R"({"bos_token": "<s>", "eos_token": null})"), std::pair(1U, 2U));
  EXPECT_EQ(ends(R"({"bos_token": {"content": "<s>"}, "eos_token": "<unk>"})"), std::pair(1U, 0U));
  EXPECT_EQ(ends(R"({"eos_token": "<unk>"})"), std::pair(0U, 0U));
  EXPECT_THAT(refusal([&] {
                ends(R"({"bos_token": "<bos>"})");
                return Tokenizer::load(folder.path());
              }),
              HasSubstr("the token '<bos>' is not in the vocabulary"));
}

TEST(TokenizerConfig, WhatTheFilesNameIsKept) {
  using Named = std::pair<std::optional<TokenId>, std::optional<TokenId>>;
  const auto named = [](const Tokenizer& tokenizer) { return Named(tokenizer.named_start(), tokenizer.named_end()); };
  const files::TemporaryFolder folder;
  files::write_file_atomically(folder.path() / "tokenizer.json", families()["base"].dump());
  EXPECT_EQ(named(Tokenizer::load(folder.path())), Named());
  for (const auto& [config, expected] :
       {std::pair(R"({"bos_token": "<s>", "eos_token": "<unk>"})", Named(1U, 0U)),
        std::pair(R"({"bos_token": null, "eos_token": "<unk>"})", Named(std::nullopt, 0U))}) {
    files::write_file_atomically(folder.path() / "tokenizer_config.json", config);
    const Tokenizer tokenizer = Tokenizer::load(folder.path());
    EXPECT_EQ(named(tokenizer), expected);
    std::filesystem::create_directories(folder.path() / "saved");
    tokenizer.save(folder.path() / "saved/tokenizer.json");
    EXPECT_EQ(named(Tokenizer::load(folder.path() / "saved")), expected);
  }
  EXPECT_EQ(named(Tokenizer::from_gguf(pieces())), Named(1U, 2U));
}

// Of bytes, whose tokens are spelled otherwise than they read, and of characters.
TEST(TokenizerConfig, AnOrdinaryTokenThatBeginsATextIsWrittenAsItIsSpelled) {
  const files::TemporaryFolder folder;
  Json bytes = families()["base"];
  bytes.update(families()["files"].back()["changes"]);
  const std::pair<Json, std::string> cases[] = {{bytes, "\u0120"}, {families()["base"], "\u2581"}};
  for (const auto& [file, spelling] : cases) {
    files::write_file_atomically(folder.path() / "tokenizer.json", file.dump());
    files::write_file_atomically(folder.path() / "tokenizer_config.json", R"({"bos_token": ")" + spelling + "\"}");
    const Tokenizer tokenizer = Tokenizer::load(folder.path());
    EXPECT_EQ(tokenizer.token_bytes(tokenizer.start_token()), " ");
    EXPECT_EQ(tokenizer.token_spelling(tokenizer.start_token()), spelling);
    tokenizer.save(folder.path() / "saved.json");
    std::filesystem::remove(folder.path() / "tokenizer_config.json");
    EXPECT_EQ(Tokenizer::load(folder.path() / "saved.json").start_token(), tokenizer.start_token());
  }
  EXPECT_THROW(Tokenizer::load(folder.path()).token_spelling(100'000), Error);
}

/// What loading the base with a post-processor gives, or what is said against it.
class PostProcessors : public testing::Test {
 protected:
  Tokenizer load(const Json& post) {
    Json file = families()["base"];
    file["post_processor"] = post;
    files::write_file_atomically(folder_.path() / "tokenizer.json", file.dump());
    return Tokenizer::load(folder_.path() / "tokenizer.json");
  }
  std::string said_of(const Json& post) {
    return refusal([&] { return load(post); });
  }

  files::TemporaryFolder folder_;
  const Json text_a_ = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  const Json start_ = {{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}};
  const Json template_ = {{"type", "TemplateProcessing"},
                          {"single", {start_, text_a_}},
                          {"pair", {start_, text_a_, start_, {{"Sequence", {{"id", "B"}, {"type_id", 1}}}}}},
                          {"special_tokens", {{"<s>", {{"id", "<s>"}, {"ids", {1}}, {"tokens", {"<s>"}}}}}}};
  const Json offsets_ = {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", false}};
};

TEST_F(PostProcessors, AreKeptWithAllThatTheySay) {
  for (const Json& post : {template_, offsets_, Json{{"type", "Sequence"}, {"processors", {offsets_, template_}}}}) {
    const Tokenizer tokenizer = load(post);
    EXPECT_EQ(tokenizer.start_token(), post == offsets_ ? 2U : 1U);
    EXPECT_EQ(Json::parse(tokenizer.to_json())["post_processor"], post);
    EXPECT_EQ(tokenizer.fingerprint(), load(nullptr).fingerprint());
  }
}

TEST_F(PostProcessors, OfBertAndRobertaArePutAroundATextAsATemplateIs) {
  for (const char* type : {"BertProcessing", "RobertaProcessing"}) {
    Json post = {{"type", type}, {"cls", {"<s>", 1}}, {"sep", {"</s>", 2}}};
    EXPECT_EQ(load(post).start_token(), 1U);
    EXPECT_EQ(Json::parse(load(post).to_json())["post_processor"], post);
    post["cls"][1] = 2;
    EXPECT_THAT(said_of(post), HasSubstr("token '<s>', which goes before or after a text, has not the id 2"));
    post["sep"] = "</s>";
    EXPECT_THAT(said_of(post), HasSubstr("'sep'"));
  }
}

TEST_F(PostProcessors, IdsOfATemplateAreThoseOfItsTokens) {
  const auto said_with = [&](const Json& ids) {
    Json post = template_;
    post["special_tokens"]["<s>"]["ids"] = ids;
    return said_of(post);
  };
  EXPECT_EQ(said_with({1}), "loaded");
  EXPECT_THAT(said_with({2}), HasSubstr("has not the id 2"));
  EXPECT_THAT(said_with({4'000'000'000}), HasSubstr("has not the id 4000000000"));
  EXPECT_THAT(said_with({1, 1}), HasSubstr("not as many ids as tokens"));
  EXPECT_THAT(said_with({-1}), HasSubstr("'ids' of '<s>'"));
  EXPECT_THAT(said_with(1), HasSubstr("'ids'"));
}

/// A member that Hugging Face's library does not know makes it refuse tokenizer.json.
TEST_F(PostProcessors, WhatTheLibraryDoesNotKnowIsNotInItsFile) {
  const Tokenizer tokenizer = Tokenizer::from_gguf(pieces());
  Json own = Json::parse(tokenizer.to_json())["chainrule"];
  EXPECT_EQ(own["ranked_by_result"], true);
  for (const char* key : {"bos_token", "eos_token"}) {  // which tokenizer_config.json says
    EXPECT_TRUE(own.contains(key));
    own.erase(key);
  }
  EXPECT_FALSE(Json::parse(tokenizer.to_library_json()).contains("chainrule"));
  EXPECT_EQ(Json::parse(tokenizer.beyond_library_json()), own);
  EXPECT_EQ(load(template_).beyond_library_json(), "");
  files::write_file_atomically(folder_.path() / "tokenizer.json", tokenizer.to_library_json());
  EXPECT_NE(Tokenizer::load(folder_.path()).fingerprint(), tokenizer.fingerprint());
  files::write_file_atomically(folder_.path() / "tokenizer_config.json",
                               R"({"chainrule": )" + tokenizer.beyond_library_json() + "}");
  EXPECT_EQ(Tokenizer::load(folder_.path()).fingerprint(), tokenizer.fingerprint());
}

}  // namespace
}  // namespace chainrule::io::tokenizer

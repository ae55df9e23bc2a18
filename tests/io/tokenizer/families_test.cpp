// The forms of tokenizer files that families use, against ids of other libraries (data/make_families.py).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "io/error.h"
#include "io/tokenizer/gguf_vocabulary.h"
#include "io/tokenizer/piece_scanner.h"
#include "io/tokens/foreign/document_ids.h"
#include "tests/io/tokenizer/fixture.h"

namespace chainrule::io::tokenizer {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

const Json& families() {
  static const Json read = Json::parse(files::read_file(fixture("families.json")));
  return read;
}

/// What loading says that it refuses.
std::string refusal(const std::function<Tokenizer()>& load) {
  try {
    load();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_data);
    return error.what();
  }
  return "loaded";
}

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

GgufVocabulary pieces() {
  const Json& made = families()["pieces"];
  GgufVocabulary vocabulary;
  vocabulary.path = "model.gguf";
  vocabulary.model = "llama";
  vocabulary.tokens = made["tokens"].get<std::vector<std::string>>();
  vocabulary.scores = made["scores"].get<std::vector<float>>();
  vocabulary.token_types = made["types"].get<std::vector<std::int64_t>>();
  vocabulary.unknown_token_id = 0;
  vocabulary.bos_token_id = 1;
  vocabulary.eos_token_id = 2;
  return vocabulary;
}

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

// Qwen's chats begin and end turns with tokens that stand within documents.
TEST(DocumentIds, ATokenThatMayBeginATextPartsDocumentsWhereTheTemplatePutsIt) {
  const files::TemporaryFolder folder;
  Json file = families()["base"];
  files::write_file_atomically(folder.path() / "tokenizer.json", file.dump());
  files::write_file_atomically(folder.path() / "tokenizer_config.json", R"({"bos_token": "<s>"})");
  const Tokenizer named = Tokenizer::load(folder.path());
  EXPECT_EQ(named.start_token(), 1U);
  EXPECT_EQ(tokens::foreign::document_ids_of(named).document_start, 2U);
  EXPECT_EQ(tokens::foreign::document_ids_of(named).end_of_text, 2U);
  file["post_processor"] = {{"type", "BertProcessing"}, {"cls", {"<s>", 1}}, {"sep", {"</s>", 2}}};
  EXPECT_EQ(tokens::foreign::document_ids_of(loaded(file)).document_start, 1U);
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

TEST_F(PostProcessors, OfAGgufFileGoAroundEachTextOfAPair) {
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

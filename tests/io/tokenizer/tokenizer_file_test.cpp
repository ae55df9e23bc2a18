#include "io/tokenizer/tokenizer_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/tokenizer/piece_scanner.h"
#include "tests/io/tokenizer/fixture.h"

namespace chainrule::io::tokenizer {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

Json fixture_json() { return Json::parse(files::read_file(fixture("tokenizer.json"))); }

/// Loading is refused as bad data, with these words.
void expect_refused(const std::filesystem::path& path, const std::string& words) {
  try {
    Tokenizer::load(path);
    FAIL() << "loaded, though it should say: " << words;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_data);
    EXPECT_THAT(error.what(), HasSubstr(words));
  }
}

struct Damage {
  const char* words;
  std::function<void(Json&)> apply;
};

TEST(HuggingFaceFile, WhatIsNotSupportedOrNotWholeIsNamed) {
  const std::vector<Damage> damages = {
      {"model 'WordPiece' is not supported", [](Json& j) { j["model"]["type"] = "WordPiece"; }},
      {"pre-tokenizer 'Whitespace' is not supported",
       [](Json& j) {
         j["pre_tokenizer"] = {{"type", "Whitespace"}};
       }},
      {"neither a pre-tokenizer ByteLevel", [](Json& j) { j["pre_tokenizer"] = nullptr; }},
      {"'continuing_subword_prefix'", [](Json& j) { j["model"]["continuing_subword_prefix"] = "##"; }},
      {"'end_of_word_suffix'", [](Json& j) { j["model"]["end_of_word_suffix"] = "</w>"; }},
      {"'dropout'", [](Json& j) { j["model"]["dropout"] = 0.1; }},
      {"'byte_fallback'", [](Json& j) { j["model"]["byte_fallback"] = true; }},
      {"has no 'model'", [](Json& j) { j.erase("model"); }},
      {"'vocab' of the model", [](Json& j) { j["model"]["vocab"] = Json::array(); }},
      {"'merges' of the model", [](Json& j) { j["model"].erase("merges"); }},
      {"is not a number from 0", [](Json& j) { j["model"]["vocab"]["a"] = -1; }},
      {"no token has the id 300",
       [](Json& j) {
         const Json vocabulary = j["model"]["vocab"];
         for (const auto& [token, id] : vocabulary.items()) {
           if (id == 300) j["model"]["vocab"].erase(token);
         }
         j["model"]["vocab"]["<|endoftext|>"] = 421;  // listed twice, as in GPT-2's own file
       }},
      {"have the same id 70", [](Json& j) { j["model"]["vocab"]["a"] = 70; }},
      {"tokens have no ids beyond", [](Json& j) { j["model"]["vocab"]["a"] = 70'000; }},
      {"is not a spelling of bytes",
       [](Json& j) {
         j["model"]["vocab"]["世"] = 421;
         j["added_tokens"][0]["id"] = 422;
       }},
      {"there is no special token", [](Json& j) { j["added_tokens"][0]["content"] = "<|other|>"; }},
      {"merge 0 ('zz' 'a'): 'zz' is not in the vocabulary",
       [](Json& j) {
         j["model"]["merges"][0] = {"zz", "a"};
       }},
      {"'a~' is not in the vocabulary", [](Json& j) { j["model"]["merges"][0] = "a ~"; }},
      {"merge 1 ('", [](Json& j) { j["model"]["merges"][1] = j["model"]["merges"][0]; }},
      {"merge 2 is neither", [](Json& j) { j["model"]["merges"][2] = "a b c"; }},
      {"merge 2 is neither", [](Json& j) { j["model"]["merges"][2] = {"a"}; }},
      {"added token 0 is not an object", [](Json& j) { j["added_tokens"][0].erase("id"); }},
  };
  const files::TemporaryFolder folder;
  for (const Damage& damage : damages) {
    Json json = fixture_json();
    damage.apply(json);
    files::write_file_atomically(folder.path() / "tokenizer.json", json.dump());
    SCOPED_TRACE(damage.words);
    expect_refused(folder.path() / "tokenizer.json", damage.words);
    expect_refused(folder.path() / "tokenizer.json", (folder.path() / "tokenizer.json").string());
  }
}

TEST(HuggingFaceFile, DamagedJsonIsRefused) {
  const files::TemporaryFolder folder;
  const std::string whole = files::read_file(fixture("tokenizer.json"));
  for (const std::string& text : {std::string(), whole.substr(0, whole.size() / 2), "[" + whole, std::string("[]"),
                                  std::string("3"), std::string(100'000, '[')}) {
    files::write_file_atomically(folder.path() / "tokenizer.json", text);
    expect_refused(folder.path() / "tokenizer.json", "tokenizer.json");
  }
}

TEST(HuggingFaceFile, MergesAsStringsAndAsPairsAreEqual) {
  Json json = fixture_json();
  for (Json& merge : json["model"]["merges"]) merge = merge[0].get<std::string>() + " " + merge[1].get<std::string>();
  EXPECT_EQ(loaded(json).fingerprint(), loaded(fixture_json()).fingerprint());
}

TEST(HuggingFaceFile, FingerprintTellsTokenizersApart) {
  const std::string same = loaded(fixture_json()).fingerprint();
  Json merges = fixture_json();
  std::swap(merges["model"]["merges"][0], merges["model"]["merges"][1]);
  EXPECT_NE(loaded(merges).fingerprint(), same);
  Json ids = fixture_json();
  std::swap(ids["model"]["vocab"]["a"], ids["model"]["vocab"]["b"]);
  EXPECT_NE(loaded(ids).fingerprint(), same);
  Json ignoring = fixture_json();
  ignoring["model"]["ignore_merges"] = true;
  EXPECT_NE(loaded(ignoring).fingerprint(), same);
  Json special = fixture_json();
  special["added_tokens"].push_back({{"id", 422}, {"content", "<|pad|>"}, {"special", true}});
  EXPECT_NE(loaded(special).fingerprint(), same);
}

TEST(HuggingFaceFile, SplitWithGpt2sPatternIsTheByteLevelPreTokenizer) {
  Json json = fixture_json();
  json["pre_tokenizer"] =
      Json::parse(R"({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":""},"behavior":"Isolated",
      "invert":false},{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]})");
  json["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = kGpt2Pattern;
  EXPECT_EQ(loaded(json).fingerprint(), loaded(fixture_json()).fingerprint());
}

TEST(HuggingFaceFile, AnotherPatternSplitsAndIsSaved) {
  Json json = fixture_json();
  json["pre_tokenizer"] = Json::parse(
      R"({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"\\p{L}+|\\s+"},"behavior":"Isolated",
      "invert":false},{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]})");
  const Tokenizer tokenizer = loaded(json);
  const auto ids = encoded(tokenizer, "the the");
  EXPECT_EQ(tokenizer.decode(ids), "the the");
  // "the", " ", "the": merges do not cross the pattern's pieces.
  auto pieces = encoded(tokenizer, "the");
  pieces.push_back(encoded(tokenizer, " ").at(0));
  tokenizer.encode("the", pieces);
  EXPECT_EQ(ids, pieces);
  EXPECT_LT(encoded(loaded(fixture_json()), "the the").size(), ids.size());
  const files::TemporaryFolder folder;
  tokenizer.save(folder.path() / "saved.json");
  EXPECT_EQ(Tokenizer::load(folder.path() / "saved.json").fingerprint(), tokenizer.fingerprint());
  EXPECT_NE(tokenizer.fingerprint(), loaded(fixture_json()).fingerprint());
}

TEST(HuggingFaceFile, IgnoreMergesTakesWholePiecesFromTheVocabulary) {
  Json json = fixture_json();
  json["model"]["vocab"]["qzq"] = 421;
  json["added_tokens"][0]["id"] = 422;
  EXPECT_EQ(encoded(loaded(json), "qzq").size(), 3U);
  json["model"]["ignore_merges"] = true;
  EXPECT_THAT(encoded(loaded(json), "qzq"), testing::ElementsAre(421U));
  EXPECT_EQ(encoded(loaded(json), "<|endoftext|>").size(), encoded(loaded(fixture_json()), "<|endoftext|>").size());
}

TEST(HuggingFaceFile, AddPrefixSpace) {
  Json json = fixture_json();
  json["pre_tokenizer"]["add_prefix_space"] = true;
  const Tokenizer plain = loaded(fixture_json());
  const Tokenizer prefixed = loaded(json);
  EXPECT_EQ(encoded(prefixed, "the text"), encoded(plain, " the text"));
  EXPECT_EQ(encoded(prefixed, " the text"), encoded(plain, " the text"));
}

TEST(HuggingFaceFile, AddedTokensThatAreNotSpecialAreAlwaysMatchedTheLongestFirst) {
  Json json = fixture_json();
  json["added_tokens"].push_back({{"id", 422}, {"content", "<a>"}, {"special", false}});
  json["added_tokens"].push_back({{"id", 423}, {"content", "<a>b"}, {"special", false}});
  EXPECT_THAT(encoded(loaded(json), "<a><a>b"), testing::ElementsAre(422U, 423U));
}

TEST(TokenizerFile, MissingFilesAreNamed) {
  const files::TemporaryFolder folder;
  for (const auto& path : {folder.path() / "none", folder.path()}) {
    try {
      Tokenizer::load(path);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::missing_input);
      EXPECT_THAT(error.what(), HasSubstr(path.string()));
    }
  }
}

TEST(Gpt2Files, DamageIsNamed) {
  const files::TemporaryFolder folder;
  const std::string vocabulary = files::read_file(fixture("gpt2/vocab.json"));
  const std::string merges = files::read_file(fixture("gpt2/merges.txt"));
  files::write_file_atomically(folder.path() / "vocab.json", vocabulary);
  files::write_file_atomically(folder.path() / "merges.txt", merges + "no_space\n");
  expect_refused(folder.path(), "is not two tokens with a space between: 'no_space'");
  files::write_file_atomically(folder.path() / "merges.txt", merges + "zz zz\n");
  expect_refused(folder.path(), "'zz' is not in the vocabulary");
  files::write_file_atomically(folder.path() / "merges.txt", merges);
  files::write_file_atomically(folder.path() / "vocab.json", "[1]");
  expect_refused(folder.path(), "vocab.json': is not an object");
  files::write_file_atomically(folder.path() / "vocab.json", R"({"a": "b"})");
  expect_refused(folder.path(), "the id of token 'a' is not a number");
  files::write_file_atomically(folder.path() / "vocab.json", vocabulary.substr(0, 100));
  expect_refused(folder.path(), "is not JSON");
}

/// A folder with GPT-2's pair of files.
class Gpt2Folder : public testing::Test {
 protected:
  Gpt2Folder() {
    for (const char* name : {"vocab.json", "merges.txt"}) write(name, files::read_file(fixture("gpt2") / name));
  }
  void write(const char* name, const std::string& text) { files::write_file_atomically(folder_.path() / name, text); }
  Tokenizer load() const { return Tokenizer::load(folder_.path()); }

  files::TemporaryFolder folder_;
};

TEST_F(Gpt2Folder, TheClassSaysHowTextIsCut) {
  const auto expect_cut = [&](const Json& pre_tokenizer, const Json& normalizer) {
    Json file = fixture_json();
    file["pre_tokenizer"] = pre_tokenizer;
    file["normalizer"] = normalizer;
    EXPECT_EQ(load().fingerprint(), loaded(file).fingerprint());
  };
  const auto bytes = [](bool prefix, bool regex) {
    return Json{{"type", "ByteLevel"}, {"add_prefix_space", prefix}, {"use_regex", regex}};
  };
  for (const char* name : {"Qwen2Tokenizer", "Qwen2TokenizerFast"}) {
    write("tokenizer_config.json", R"({"tokenizer_class": ")" + std::string(name) + R"("})");
    const Json split = {{"type", "Split"}, {"pattern", {{"Regex", kQwen2Pattern}}}, {"behavior", "Isolated"}};
    expect_cut({{"type", "Sequence"}, {"pretokenizers", {split, bytes(false, false)}}}, {{"type", "NFC"}});
  }
  for (const char* name : {"GPT2Tokenizer", "GPT2TokenizerFast"}) {
    write("tokenizer_config.json", R"({"tokenizer_class": ")" + std::string(name) + R"("})");
    expect_cut(bytes(false, true), nullptr);
    write("tokenizer_config.json", R"({"tokenizer_class": ")" + std::string(name) + R"(", "add_prefix_space": true})");
    expect_cut(bytes(true, true), nullptr);
  }
  write("tokenizer_config.json", R"({"tokenizer_class": "BartTokenizer"})");
  expect_refused(folder_.path(), "'tokenizer_class' 'BartTokenizer' is not supported");
  write("tokenizer_config.json", R"({"tokenizer_class": "Qwen2Tokenizer", "add_prefix_space": true})");
  expect_refused(folder_.path(), "'add_prefix_space' is not supported of Qwen2's tokenizer");
}

TEST_F(Gpt2Folder, WithoutAClassTheModelBesideSaysWhoseItIs) {
  const std::string fingerprint = load().fingerprint();
  write("config.json", R"({"model_type": "gpt2"})");
  EXPECT_EQ(load().fingerprint(), fingerprint);
  write("config.json", R"({"model_type": "qwen2"})");
  expect_refused(folder_.path(), "config.json': names no 'tokenizer_class', and its 'model_type' is not gpt2");
  write("tokenizer_config.json", R"({"model_max_length": 1024})");
  expect_refused(folder_.path(), "names no 'tokenizer_class'");
  write("tokenizer_config.json", R"({"tokenizer_class": "GPT2Tokenizer"})");
  expect_refused(folder_.path(), "its 'model_type' contradicts the 'tokenizer_class' 'GPT2Tokenizer'");
  write("config.json", R"({"model_type": "opt"})");
  EXPECT_EQ(load().fingerprint(), fingerprint);
  write("tokenizer_config.json", "{}");
  write("config.json", R"({"model_type": "gpt2", "tokenizer_class": "Qwen2Tokenizer"})");
  EXPECT_NE(load().fingerprint(), fingerprint);
  write("config.json", "{}");
  expect_refused(folder_.path(), "names no 'tokenizer_class'");
}

TEST_F(Gpt2Folder, TokensThatAreNamedAreSpecial) {
  const std::vector<TokenId> re = encoded(load(), "re");
  ASSERT_EQ(re.size(), 1U);
  EXPECT_FALSE(load().is_special(re.front()));
  const auto expect_special = [&](const char* file, const std::string& text) {
    write(file, text);
    EXPECT_TRUE(load().is_special(re.front())) << file << text;
    std::filesystem::remove(folder_.path() / file);
  };
  for (const char* token :
       {R"("pad_token": "re")", R"("unk_token": {"__type": "AddedToken", "content": "re"})",
        R"("additional_special_tokens": ["re"])", R"("extra_special_tokens": {"x": "re"})", R"("image_token": "re")"}) {
    expect_special("tokenizer_config.json", "{" + std::string(token) + "}");
    expect_special("special_tokens_map.json", "{" + std::string(token) + "}");
  }
  write("tokenizer_config.json", R"({"pad_token": "<pad>"})");
  expect_refused(folder_.path(), "the token '<pad>' of 'pad_token' is not in the vocabulary");
  write("tokenizer_config.json", R"({"pad_token": 3})");
  expect_refused(folder_.path(), "'pad_token' names no token");
  write("tokenizer_config.json", R"({"extra_special_tokens": "re"})");
  expect_refused(folder_.path(), "'extra_special_tokens' is no list of tokens");
  write("tokenizer_config.json", R"({"split_special_tokens": true})");
  expect_refused(folder_.path(), "'split_special_tokens' is not supported");
}

// In transformers' order: the map's token is taken where no added tokens are listed.
TEST_F(Gpt2Folder, TheMapOfSpecialTokensGoesBeforeTheConfiguration) {
  write("special_tokens_map.json", R"({"bos_token": "a", "eos_token": "b"})");
  EXPECT_EQ(load().start_token(), encoded(load(), "a").front());
  write("tokenizer_config.json", R"({"add_bos_token": true, "bos_token": "c"})");
  EXPECT_EQ(load().start_token(), encoded(load(), "a").front());
  EXPECT_EQ(load().template_before(), encoded(load(), "a"));
  write("tokenizer_config.json", R"({"bos_token": "c", "added_tokens_decoder": {}})");
  EXPECT_EQ(load().start_token(), encoded(load(), "c").front());
}

TEST_F(Gpt2Folder, AddedTokensAreReadWithTheirFlagsOrRefused) {
  const std::string next = std::to_string(load().vocabulary_size());
  write("added_tokens.json", R"({"<|pad|>": )" + next + "}");
  expect_refused(folder_.path(), "added_tokens.json': is not supported without 'added_tokens_decoder'");
  write("tokenizer_config.json",
        R"({"added_tokens_decoder": {")" + next + R"(": {"content": "<|pad|>", "special": false}}})");
  EXPECT_EQ(encoded(load(), "<|pad|>"), std::vector<TokenId>{static_cast<TokenId>(std::stoul(next))});
}

TEST_F(Gpt2Folder, TokensGoAroundATextWhereTheFileSaysSo) {
  EXPECT_TRUE(load().template_before().empty());
  write("tokenizer_config.json", R"({"add_bos_token": false})");
  EXPECT_TRUE(load().template_before().empty());
  write("tokenizer_config.json", R"({"add_bos_token": true})");
  EXPECT_EQ(load().template_before(), std::vector<TokenId>{load().end_of_text()});
  write("tokenizer_config.json", R"({"add_bos_token": true, "bos_token": "a"})");
  EXPECT_EQ(load().template_before(), encoded(load(), "a"));
  EXPECT_TRUE(load().template_after().empty());
  write("tokenizer_config.json", R"({"tokenizer_class": "Qwen2Tokenizer", "add_eos_token": true, "eos_token": "b"})");
  EXPECT_TRUE(load().template_before().empty());
  EXPECT_EQ(load().template_after(), encoded(load(), "b"));
  write("tokenizer_config.json", R"({"tokenizer_class": "Qwen2Tokenizer", "add_bos_token": true})");
  expect_refused(folder_.path(), "'add_bos_token' is true without 'bos_token'");
}

}  // namespace
}  // namespace chainrule::io::tokenizer

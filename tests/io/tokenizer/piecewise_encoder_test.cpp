// Texts that come in pieces, against the same texts as a whole.
#include "io/tokenizer/piecewise_encoder.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "io/tokenizer/piece_scanner.h"
#include "tests/io/tokenizer/fixture.h"

namespace chainrule::io::tokenizer {
namespace {

using Json = nlohmann::json;

const Json& families() {
  static const Json read = Json::parse(files::read_file(fixture("families.json")));
  return read;
}

Json family(const std::string& name) {
  for (const Json& each : families()["files"]) {
    if (each["name"] != name) continue;
    Json file = families()["base"];
    file.update(each["changes"]);
    return file;
  }
  throw std::logic_error("no such family");
}

/// Every family's file, and the patterns of others in NeoX's.
std::vector<Json> family_files() {
  std::vector<Json> files;
  for (const Json& each : families()["files"]) files.push_back(family(each["name"]));
  const Json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  for (const std::string_view pattern : {kLlama3Pattern, kQwen2Pattern, kQwen35Pattern, kLlama4Pattern}) {
    const Json split = {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}};
    files.push_back(family("NeoX"));
    files.back()["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", {split, bytes}}};
  }
  return files;
}

/// Words, runs of spaces and spellings of tokens, and the texts of the fixture.
std::string random_document(std::mt19937& random) {
  const std::vector<std::string> parts = {" ", " ",    "  ",   "the",           "\n",   "\xe2\x96\x81", "<s>", "</s>",
                                          "é", "a, b", "\xff", "<|endoftext|>", "日本", "> ",           "end."};
  std::string text;
  for (std::size_t i = random() % 200; i > 0; --i) text += parts[random() % parts.size()];
  const Json& texts = families()["texts"];
  return text + texts[random() % texts.size()].get<std::string>() + random_text(random, 30);
}

struct Pieces {
  std::vector<TokenId> ids;
  std::size_t bytes = 0;
  std::size_t takes = 0;
};

Pieces encoded_in_pieces(const Tokenizer& tokenizer, std::string_view text, bool special, std::mt19937& random) {
  Pieces made;
  PiecewiseEncoder encoder(
      tokenizer,
      [&](std::span<const TokenId> ids, std::size_t bytes) {
        made.ids.insert(made.ids.end(), ids.begin(), ids.end());
        made.bytes += bytes;
        ++made.takes;
      },
      special, 20);
  while (!text.empty()) {
    const std::size_t size = std::min<std::size_t>(random() % 40, text.size());
    encoder.append(text.substr(0, size));
    text.remove_prefix(size);
  }
  encoder.finish();
  return made;
}

TEST(PiecewiseEncoder, IdsAreThoseOfTheWhole) {
  std::mt19937 random(8);
  for (const Json& file : family_files()) {
    SCOPED_TRACE(file["pre_tokenizer"].dump() + file["normalizer"].dump());
    const Tokenizer tokenizer = loaded(file);
    std::size_t takes = 0;
    for (int round = 0; round < 200; ++round) {
      const std::string text = random_document(random);
      const bool special = round % 2 == 0;
      std::vector<TokenId> whole;
      special ? tokenizer.encode_with_special_tokens(text, whole) : tokenizer.encode(text, whole);
      const Pieces made = encoded_in_pieces(tokenizer, text, special, random);
      ASSERT_EQ(made.ids, whole) << testing::PrintToString(text);
      ASSERT_EQ(made.bytes, text.size());
      takes += made.takes;
    }
    EXPECT_GT(takes, 1000U);
  }
}

TEST(PiecewiseEncoder, TheFixturesTokenizerHoldsLittle) {
  const Tokenizer tokenizer = Tokenizer::load(fixture("tokenizer.json"));
  const std::string text = files::read_file(fixture("sample.txt"));
  std::size_t longest = 0;
  PiecewiseEncoder encoder(
      tokenizer, [&](auto, std::size_t bytes) { longest = std::max(longest, bytes); }, false, 100);
  encoder.append(text.substr(0, 50));
  EXPECT_EQ(longest, 0U);
  for (std::size_t at = 50; at < text.size(); at += 50) encoder.append(text.substr(at, 50));
  EXPECT_GT(longest, 0U);
  EXPECT_LT(longest, 500U);
}

/// What makes a text one whole: the encoder then takes it once.
void expect_held(const Json& file) {
  const Tokenizer tokenizer = loaded(file);
  std::string text;
  for (int i = 0; i < 200; ++i) text += " the words of it";
  std::mt19937 random(2);
  const Pieces made = encoded_in_pieces(tokenizer, text, false, random);
  EXPECT_EQ(made.ids, encoded(tokenizer, text));
  EXPECT_EQ(made.takes, 1U) << file.dump().substr(0, 2000);
}

TEST(PiecewiseEncoder, WhatIsOfNoFamilyIsHeld) {
  Json strips = family("Prepend and Replace");
  strips["added_tokens"].back()["rstrip"] = true;
  expect_held(strips);
  Json spaced = family("a normalized token");
  spaced["added_tokens"].push_back(spaced["added_tokens"].back());
  spaced["added_tokens"].back()["content"] = "the words";
  spaced["added_tokens"].back()["normalized"] = true;
  spaced["added_tokens"].back()["id"] = spaced["model"]["vocab"].size();
  expect_held(spaced);
  Json replaces = family("Prepend and Replace");
  replaces["normalizer"]["normalizers"].push_back(
      {{"type", "Replace"}, {"pattern", {{"String", "s"}}}, {"content", "t"}});
  expect_held(replaces);
  Json spaces = family("Prepend and Replace");  // spelled as they are, whatever the decoder makes a space of
  spaces["normalizer"] = nullptr;
  for (const char* token : {" ", " t", "e t"}) spaces["model"]["vocab"][token] = spaces["model"]["vocab"].size();
  spaces["model"]["merges"].push_back({" ", "t"});
  spaces["model"]["merges"].push_back({"e", " t"});
  expect_held(spaces);
  Json whole = family("Prepend and Replace");
  whole["model"]["ignore_merges"] = true;
  expect_held(whole);
  Json uncut = Json::parse(files::read_file(fixture("tokenizer.json")));
  uncut["pre_tokenizer"] = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  expect_held(uncut);
}

}  // namespace
}  // namespace chainrule::io::tokenizer

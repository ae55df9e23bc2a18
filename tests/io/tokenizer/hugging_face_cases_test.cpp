// Properties of tokenizer.json that change ids, against the ids of Hugging Face's library (data/make_cases.py).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "io/error.h"
#include "tests/io/tokenizer/fixture.h"

namespace chainrule::io::tokenizer {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

/// What is refused, and the words that name why; everything else is honoured.
const std::map<std::string, std::string>& refused() {
  static const std::map<std::string, std::string> kRefused = {
      {"in the vocabulary with another id",
       "added token 'the' has the id 266, where the library 'tokenizers' gives it 257"},
      {"descending ids", "added token '<b>' has the id 267, where the library 'tokenizers' gives it 266"},
      {"twice", "added token '<b>' is listed twice"},
      {"a key of an added token", "'strip_accents' of the added token '<b>' is not known"},
      {"sequence of none", "neither a pre-tokenizer ByteLevel"},
      {"sequence of three", "behind ByteLevel is not supported"},
      {"a key of the pre-tokenizer", "'locale' of the pre-tokenizer ByteLevel is not known"},
      {"model of type null", "model of no type is not supported"},
      {"a key of the model", "'cache_capacity' of the model is not known"},
      {"truncation", "'truncation'"},
      {"padding to a length", "'padding'"},
      {"padding to a multiple", "'padding'"},
      {"a key of the file", "'chat_template' of the file is not known"},
      {"another version", "'version'"},
  };
  return kRefused;
}

/// The words of a refusal, empty where the case is honoured.
std::string refusal_of(const std::string& name) {
  if (name.starts_with("pattern \\") || name.starts_with("pattern ^") || name.starts_with("pattern a") ||
      name.starts_with("pattern (")) {
    return "engines read it differently";
  }
  const auto found = refused().find(name);
  return found == refused().end() ? "" : found->second;
}

TEST(HuggingFaceCases, IdsAreTheLibrarysOrThePropertyIsRefusedByName) {
  const Json cases = Json::parse(files::read_file(fixture("cases.json")));
  const files::TemporaryFolder folder;
  std::size_t refusals = 0;
  for (const Json& each : cases["cases"]) {
    SCOPED_TRACE(each["name"].get<std::string>());
    Json file = cases["base"];
    file.update(each["changes"]);
    if (!file["model"].contains("vocab")) file["model"]["vocab"] = cases["base"]["model"]["vocab"];
    files::write_file_atomically(folder.path() / "tokenizer.json", file.dump());
    const std::string words = refusal_of(each["name"]);
    try {
      const Tokenizer tokenizer = Tokenizer::load(folder.path() / "tokenizer.json");
      EXPECT_EQ(words, "") << "should be refused";
      tokenizer.save(folder.path() / "saved.json");
      const Tokenizer saved = Tokenizer::load(folder.path() / "saved.json");
      EXPECT_EQ(saved.fingerprint(), tokenizer.fingerprint());
      for (const Json& text : each["texts"]) {
        SCOPED_TRACE(text["text"].get<std::string>());
        for (const Tokenizer* one : {&tokenizer, &saved}) {
          std::vector<TokenId> ids;
          one->encode_with_special_tokens(text["text"].get<std::string>(), ids);
          EXPECT_EQ(Json(ids), text["ids"]);
          EXPECT_EQ(Json(encoded(*one, text["text"].get<std::string>())), text["plain"]);
        }
      }
      EXPECT_FALSE(each["texts"].empty());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::bad_data);
      EXPECT_NE(words, "") << error.what();
      EXPECT_THAT(error.what(), HasSubstr(words));
      EXPECT_THAT(error.what(), HasSubstr("tokenizer.json"));
      ++refusals;
    }
  }
  EXPECT_EQ(refusals, refused().size() + 11);  // patterns
}

/// Tokens of two kinds that cannot overlap are found alike in one search and in two: old fingerprints stay.
TEST(HuggingFaceCases, FingerprintsTellTwoSearchesApartOnlyWhereTheyDiffer) {
  const Json cases = Json::parse(files::read_file(fixture("cases.json")));
  const files::TemporaryFolder folder;
  const auto fingerprint = [&](const std::string& other, bool normalized) {
    Json file = cases["base"];
    const Json token = {{"id", 266}, {"content", "<think>"}, {"special", false}, {"normalized", false}};
    file["added_tokens"].push_back(token);
    file["added_tokens"].push_back({{"id", 267}, {"content", other}, {"special", false}, {"normalized", normalized}});
    files::write_file_atomically(folder.path() / "tokenizer.json", file.dump());
    return Tokenizer::load(folder.path() / "tokenizer.json").fingerprint();
  };
  EXPECT_EQ(fingerprint("=+", true), fingerprint("=+", false));
  EXPECT_NE(fingerprint("=<", true), fingerprint("=<", false));
  EXPECT_NE(fingerprint(">=", true), fingerprint(">=", false));
  EXPECT_NE(fingerprint("hin", true), fingerprint("hin", false));
  EXPECT_NE(fingerprint("<<think>>", true), fingerprint("<<think>>", false));
}

TEST(HuggingFaceCases, NothingOfAFileMovesTheTerminalOrFillsIt) {
  const Json cases = Json::parse(files::read_file(fixture("cases.json")));
  const files::TemporaryFolder folder;
  const std::string bad = "\x1b[2J\x07\n\xe2\x80\xae" + std::string(100'000, 'x');
  const auto message = [&](const std::function<void(Json&)>& change) {
    Json file = cases["base"];
    change(file);
    files::write_file_atomically(folder.path() / "tokenizer.json", file.dump());
    try {
      Tokenizer::load(folder.path() / "tokenizer.json");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    ADD_FAILURE() << "loaded";
    return std::string();
  };
  const std::vector<std::function<void(Json&)>> changes = {
      [&](Json& j) {
        j["normalizer"] = {{"type", bad}};
      },
      [&](Json& j) {
        j["pre_tokenizer"] = {{"type", bad}};
      },
      [&](Json& j) { j["pre_tokenizer"][bad] = 1; },
      [&](Json& j) { j["model"]["type"] = bad; },
      [&](Json& j) { j["model"]["merges"][0] = bad; },
      [&](Json& j) {
        j["model"]["merges"][0] = {bad, bad};
      },
      [&](Json& j) { j["model"]["merges"][0] = bad + " x"; },
      [&](Json& j) { j["model"]["vocab"][bad] = -1; },
      [&](Json& j) { j["model"]["vocab"][bad] = 3; },
      [&](Json& j) { j["model"]["vocab"][bad] = 266; },
      [&](Json& j) { j["added_tokens"][0]["lstrip"] = 3, j["added_tokens"][0]["content"] = bad; },
      [&](Json& j) { j["added_tokens"][0]["content"] = bad; },
      [&](Json& j) {
        j["added_tokens"][0] = {{bad, bad}};
      },
      [&](Json& j) {
        const Json split = {
            {"type", "Split"}, {"pattern", {{"Regex", "(" + bad}}}, {"behavior", "Isolated"}, {"invert", false}};
        const Json level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
        j["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", {split, level}}};
      },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    SCOPED_TRACE(i);
    const std::string said = message(changes[i]);
    EXPECT_LT(said.size(), 1000U);
    for (const char each : said) EXPECT_TRUE(static_cast<unsigned char>(each) >= 32 && each != 127) << said;
    EXPECT_EQ(said.find("\xe2\x80\xae"), std::string::npos) << "a character that turns what follows around";
  }
}

TEST(HuggingFaceCases, DeepAndLargeJsonIsRefusedInFewWords) {
  const Json cases = Json::parse(files::read_file(fixture("cases.json")));
  const files::TemporaryFolder folder;
  const std::string whole = cases["base"].dump();
  const std::string deep = std::string(300'000, '[') + std::string(300'000, ']');
  const auto with = [&](const std::string& before, const std::string& after) {
    std::string text = whole;
    const std::size_t at = text.find(before);
    EXPECT_NE(at, std::string::npos) << before;
    return text.replace(at, before.size(), after);
  };
  const std::vector<std::pair<std::string, std::string>> damages = {
      {deep, "nested deeper"},
      {with(R"("merges":[)", R"("merges":[)" + deep + ","), "nested deeper"},
      {with(R"("normalizer":null)", R"("normalizer":{"type":)" + deep + "}"), "nested deeper"},
      {with(R"("dropout":null)", R"("dropout":1e999)"), "line 1, byte"},
      {with(R"("dropout":null)", R"("dropout":-1e999)"), "a number that no double holds"},
      {with(R"("version":)", R"("version":1,"version":)"), "has a key twice"},
      {whole.substr(0, whole.size() - 1), "malformed"},
      {"\n\n\x1b", "line 3, byte 3: malformed"},
  };
  for (const auto& [text, words] : damages) {
    files::write_file_atomically(folder.path() / "tokenizer.json", text);
    SCOPED_TRACE(words);
    try {
      Tokenizer::load(folder.path() / "tokenizer.json");
      ADD_FAILURE() << "loaded";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::bad_data);
      EXPECT_THAT(error.what(), HasSubstr(words));
      EXPECT_LT(std::string(error.what()).size(), 400U);
    }
  }
}

}  // namespace
}  // namespace chainrule::io::tokenizer

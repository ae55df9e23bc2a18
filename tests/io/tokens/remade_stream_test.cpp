#include "io/tokens/remade_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "io/tokenizer/spelled_tokens.h"
#include "io/tokenizer/trainer.h"
#include "io/tokens/memory_stream.h"
#include "tests/support/tokenizer_that_gives_up.h"

namespace chainrule::io::tokens {
namespace {

using ::testing::HasSubstr;
using tokenizer::TokenId;
using tokenizer::Tokenizer;

Tokenizer made_tokenizer() {
  tokenizer::TokenizerTrainer trainer;
  for (int i = 0; i < 50; ++i) trainer.add("the cat sat on the mat.\n\n\nthe dog \n\n ran\n\n");
  return trainer.train(320, [](std::uint32_t) {});
}

std::vector<TokenId> encoded(const Tokenizer& tokenizer, const std::string& text) {
  std::vector<TokenId> ids;
  tokenizer.encode(text, ids);
  return ids;
}

MemoryStream packed(const Tokenizer& tokenizer, const std::vector<std::string>& texts) {
  MemoryStream stream({tokenizer.vocabulary_size(), tokenizer.end_of_text(), tokenizer.start_token()}, {"a", "b"});
  for (const std::string& text : texts) {
    stream.append(
        encoded(tokenizer, text),
        {.bytes = text.size(), .words = 1, .domain = static_cast<std::uint16_t>(stream.document_count() % 2)});
  }
  return stream;
}

std::vector<TokenId> tokens_of(const TokenStream& stream) {
  std::vector<TokenId> tokens(stream.token_count());
  stream.read(0, tokens);
  return tokens;
}

std::vector<DocumentRecord> documents_of(const TokenStream& stream) {
  std::vector<DocumentRecord> documents(stream.document_count());
  stream.read_documents(0, documents);
  return documents;
}

/// How many tokens lie in each document, counted byte by byte.
std::vector<std::uint64_t> tokens_by_bytes(const Tokenizer& tokenizer, const std::vector<std::string>& texts,
                                           const std::vector<TokenId>& tokens) {
  std::vector<std::size_t> document_of_byte;
  for (std::size_t d = 0; d < texts.size(); ++d) {
    document_of_byte.insert(document_of_byte.end(), texts[d].size() + (d + 1 < texts.size() ? 2 : 0), d);
  }
  std::vector<std::uint64_t> counts(texts.size());
  std::size_t byte = 0;
  for (const TokenId token : tokens) {
    ++counts[document_of_byte.at(byte)];
    byte += tokenizer.token_bytes(token).size();
  }
  EXPECT_EQ(byte, document_of_byte.size());
  return counts;
}

std::string joined_text(const std::vector<std::string>& texts) {
  std::string text;
  for (std::size_t i = 0; i < texts.size(); ++i) text += (i == 0 ? "" : "\n\n") + texts[i];
  return text;
}

void expect_joined(const std::vector<std::string>& texts) {
  const Tokenizer tokenizer = made_tokenizer();
  const MemoryStream data = packed(tokenizer, texts);
  const RemadeStream joined = join_documents(data, tokenizer, texts.size(), {});
  const std::vector<TokenId> whole = encoded(tokenizer, joined_text(texts));
  EXPECT_EQ(tokens_of(*joined.stream), whole);
  EXPECT_FALSE(joined.stream->has_end_of_text());
  EXPECT_FALSE(joined.spelled);
  std::vector<std::uint64_t> counts;
  std::uint64_t at = 0;
  for (const DocumentRecord& document : documents_of(*joined.stream)) {
    EXPECT_EQ(document.first_token, at);
    EXPECT_EQ(document.domain, counts.size() % 2);
    EXPECT_EQ(document.bytes, 0U);
    counts.push_back(document.tokens);
    at += document.tokens;
  }
  EXPECT_EQ(counts, tokens_by_bytes(tokenizer, texts, whole));
}

TEST(JoinDocuments, IsTheTextEncodedWhole) {
  expect_joined({"the cat"});
  expect_joined({""});
  expect_joined({"", "", ""});
  expect_joined({"the cat\n", "\nsat", "", "", "on the mat.", ""});
  std::mt19937 random(3);
  for (int trial = 0; trial < 100; ++trial) {
    std::vector<std::string> texts(1 + random() % 9);
    for (std::string& text : texts) {
      for (std::size_t i = random() % 12; i > 0; --i) {
        text += std::vector<std::string>{"the", " cat", "\n", "\n\n", " ", "x", "\xc3\xa9"}[random() % 7];
      }
    }
    expect_joined(texts);
  }
}

TEST(JoinDocuments, LongTextIsEncodedInPartsAsIfWhole) {
  std::string text;
  while (text.size() < 3'500'000) text += "the cat sat on the mat.\n\n\nthe dog \n\n ran" + std::to_string(text.size());
  expect_joined({"a", text, "b\n", text + "\n"});
  // Parts end where documents do, if anywhere: there three line feeds are other tokens than one and two.
  expect_joined(std::vector<std::string>(40, text.substr(0, 100'000) + "\n"));
}

TEST(JoinDocuments, PutsTheTemplateAroundOnce) {
  const Tokenizer tokenizer = made_tokenizer();
  const std::vector<std::string> texts = {"the cat", "", "sat"};
  const MemoryStream data = packed(tokenizer, texts);
  const RemadeStream joined = join_documents(data, tokenizer, 3, {{7, 8}, {9}});
  std::vector<TokenId> expected = {7, 8};
  tokenizer.encode(joined_text(texts), expected);
  expected.push_back(9);
  EXPECT_EQ(tokens_of(*joined.stream), expected);
  const auto documents = documents_of(*joined.stream);
  EXPECT_EQ(documents.front().first_token, 0U);
  EXPECT_EQ(documents.back().first_token + documents.back().tokens, expected.size());
}

TEST(JoinDocuments, CoversTheFirstDocumentsOnly) {
  const Tokenizer tokenizer = made_tokenizer();
  const MemoryStream data = packed(tokenizer, {"the cat", "sat", "on", "the mat"});
  const RemadeStream joined = join_documents(data, tokenizer, 2, {});
  EXPECT_EQ(tokens_of(*joined.stream), encoded(tokenizer, "the cat\n\nsat"));
  const auto documents = documents_of(*joined.stream);
  ASSERT_EQ(documents.size(), 4U);
  EXPECT_EQ(documents[3].tokens, 0U);
  EXPECT_EQ(documents[3].first_token, joined.stream->token_count());
  for (std::uint64_t first = 0; first < 4; ++first) {
    std::vector<DocumentRecord> some(4 - first);
    joined.stream->read_documents(first, some);
    EXPECT_TRUE(std::equal(some.begin(), some.end(), documents.begin() + static_cast<std::ptrdiff_t>(first)));
  }
}

TEST(JoinDocuments, RefusesTokensThatTheirTextDoesNotHave) {
  const Tokenizer tokenizer = made_tokenizer();
  MemoryStream data = packed(tokenizer, {"the cat"});
  std::vector<TokenId> bytes;  // the bytes one by one, which merges would join
  for (const char byte : std::string("the cat")) bytes.push_back(encoded(tokenizer, std::string(1, byte)).front());
  data.append(bytes);
  try {
    join_documents(data, tokenizer, 2, {});
    FAIL();
  } catch (const NotItsText& error) {
    EXPECT_THAT(error.what(), HasSubstr("document 1 does not encode to its tokens"));
  }
  EXPECT_NO_THROW(join_documents(data, tokenizer, 1, {}));
}

TEST(JoinDocuments, NamesTheTextOfWhichNoTokensCanBeMade) {
  const Tokenizer tokenizer = chainrule::tests::tokenizer_that_gives_up();
  const std::vector<TokenId> many_x(40, 0);
  std::vector<TokenId> bad = many_x;
  bad.insert(bad.end(), {2, 1});
  const auto message = [&](const std::vector<std::vector<TokenId>>& documents) -> std::string {
    MemoryStream data({tokenizer.vocabulary_size(), tokenizer.end_of_text(), tokenizer.start_token()}, {"a"});
    for (const std::vector<TokenId>& document : documents) data.append(document);
    try {
      join_documents(data, tokenizer, documents.size(), {});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::bad_data);
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message({{1}, many_x}), "");
  EXPECT_THAT(message({{1}, bad}), HasSubstr("': the text of document 1: matching the pattern"));
  EXPECT_THAT(message({many_x, {1}}), HasSubstr("': the joined text of its documents: matching the pattern"));
}

TEST(JoinDocuments, EqualDataHasEqualFingerprintsAndOtherDataOthers) {
  const Tokenizer tokenizer = made_tokenizer();
  const auto fingerprint = [&](const std::vector<std::string>& texts) {
    return join_documents(packed(tokenizer, texts), tokenizer, texts.size(), {}).stream->fingerprint();
  };
  EXPECT_EQ(fingerprint({"the", "cat"}), fingerprint({"the", "cat"}));
  EXPECT_NE(fingerprint({"the", "cat"}), fingerprint({"the", "mat"}));
  EXPECT_NE(fingerprint({"the\n\ncat"}), fingerprint({"the", "cat"})) << "documents that end elsewhere";
}

TEST(SpelledTokens, AreFoundInPiecesAndByDocument) {
  const Tokenizer tokenizer = made_tokenizer();
  tokenizer::SpelledTokens spelled(tokenizer);
  EXPECT_EQ(spelled.find("the <|endof"), std::nullopt);
  EXPECT_EQ(spelled.find("text|"), std::nullopt);
  EXPECT_EQ(spelled.find("> cat"), "<|endoftext|>");
  spelled.begin();
  EXPECT_EQ(spelled.find("<|endoftext|"), std::nullopt);
  spelled.begin();
  EXPECT_EQ(spelled.find(">"), std::nullopt) << "of another text";

  const MemoryStream data = packed(tokenizer, {"the", "cat <|endoftext|", ">", "a <|endoftext|> b", "<|endoftext|>"});
  EXPECT_EQ(join_documents(data, tokenizer, 5, {}).spelled.value().document, 3U);
  EXPECT_FALSE(join_documents(data, tokenizer, 3, {}).spelled);
  EXPECT_EQ(find_spelled_token(data, tokenizer, 5, 0, 1).value().document, 3U);
  EXPECT_EQ(find_spelled_token(data, tokenizer, 5, 0, 2).value().document, 4U);
  EXPECT_FALSE(find_spelled_token(data, tokenizer, 3, 0, 1));
}

TEST(WrapDocuments, PutsTheTemplateAroundEach) {
  const Tokenizer tokenizer = made_tokenizer();
  const MemoryStream data = packed(tokenizer, {"the", "", "cat"});
  const RemadeStream wrapped = wrap_documents(data, 3, {{7}, {8, 9}});
  std::vector<TokenId> expected;
  for (const char* text : {"the", "", "cat"}) {
    expected.push_back(7);
    tokenizer.encode(text, expected);
    for (const TokenId token : {8U, 9U, tokenizer.end_of_text()}) expected.push_back(token);
  }
  EXPECT_EQ(tokens_of(*wrapped.stream), expected);
  EXPECT_TRUE(wrapped.stream->has_end_of_text());
  const auto documents = documents_of(*wrapped.stream);
  EXPECT_EQ(documents[1].tokens, 4U);
  EXPECT_EQ(documents[2].bytes, 3U);
}

}  // namespace
}  // namespace chainrule::io::tokens

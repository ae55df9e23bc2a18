#include "io/tokens/foreign/document_ids.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "io/files/atomic_file.h"
#include "io/files/temporary_folder.h"
#include "io/tokenizer/trainer.h"

namespace chainrule::io::tokens::foreign {
namespace {

// Qwen's chats begin and end turns with tokens that stand within documents.
TEST(DocumentIds, ATokenThatMayBeginATextPartsDocumentsWhereTheTemplatePutsIt) {
  const files::TemporaryFolder folder;
  tokenizer::TokenizerTrainer trainer;
  trainer.add("a text of bytes");
  const tokenizer::Tokenizer trained = trainer.train(257, [](std::uint32_t) {});
  std::vector<tokenizer::TokenId> start;
  trained.encode("a", start);
  ASSERT_EQ(start.size(), 1U);
  const tokenizer::TokenId end = trained.end_of_text();
  ASSERT_NE(start.front(), end);

  auto file = nlohmann::json::parse(trained.to_json());
  files::write_file_atomically(folder.path() / "tokenizer.json", file.dump());
  files::write_file_atomically(folder.path() / "tokenizer_config.json", R"({"bos_token": "a"})");
  const auto named = tokenizer::Tokenizer::load(folder.path());
  EXPECT_EQ(named.start_token(), start.front());
  EXPECT_EQ(document_ids_of(named).document_start, end);
  EXPECT_EQ(document_ids_of(named).end_of_text, end);

  file["post_processor"] = {
      {"type", "BertProcessing"}, {"cls", {"a", start.front()}}, {"sep", {trained.token_spelling(end), end}}};
  files::write_file_atomically(folder.path() / "tokenizer.json", file.dump());
  const auto templated = tokenizer::Tokenizer::load(folder.path());
  EXPECT_EQ(document_ids_of(templated).document_start, start.front());
  EXPECT_EQ(document_ids_of(templated).end_of_text, end);
}

}  // namespace
}  // namespace chainrule::io::tokens::foreign

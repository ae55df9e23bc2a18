// Token files of other systems as a stream of ours.
#include "io/tokens/foreign/token_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <string>

#include "io/error.h"
#include "io/tokens/foreign/document_writers.h"
#include "io/tokens/foreign/llmc_header.h"
#include "io/tokens/foreign/megatron_index.h"

namespace chainrule::io::tokens::foreign {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Tokens = std::vector<std::uint32_t>;

constexpr std::uint32_t kEnd = 9;
constexpr DocumentIds kIds{100, kEnd, kEnd};

class TokenRunTest : public ::testing::Test {
 protected:
  TokenRunTest() : folder_(fs::path(::testing::TempDir()) / ("token-run-" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~TokenRunTest() override { fs::remove_all(folder_); }

  template <class Element>
  fs::path write(const std::string& name, const std::string& header, const std::vector<Element>& tokens) const {
    std::ofstream file(folder_ / name, std::ios::binary);
    file << header;
    file.write(reinterpret_cast<const char*>(tokens.data()),
               static_cast<std::streamsize>(tokens.size() * sizeof(Element)));
    return folder_ / name;
  }

  fs::path write_llmc(const std::string& name, const std::vector<std::uint16_t>& tokens) const {
    return write(name, llmc_header_bytes({{2, false}, tokens.size()}), tokens);
  }

  template <class Element = std::uint16_t>
  fs::path write_megatron(const std::vector<Element>& tokens, const std::vector<std::uint64_t>& documents) const {
    const TokenType type{sizeof(Element), std::is_signed_v<Element>};
    std::ofstream(folder_ / "m.idx", std::ios::binary) << megatron_index_bytes({type, documents});
    return write("m.bin", "", tokens);
  }

  static Tokens tokens_of(const TokenRun& run) {
    Tokens all(run.token_count());
    run.read(0, all);
    for (std::uint64_t first = 0; first < all.size(); ++first) {  // any part of it is read as the same
      for (std::uint64_t count = 1; first + count <= all.size(); ++count) {
        Tokens part(count);
        run.read(first, part);
        EXPECT_TRUE(std::equal(part.begin(), part.end(), all.begin() + static_cast<std::ptrdiff_t>(first)));
      }
    }
    return all;
  }

  static std::vector<std::uint64_t> documents_of(const TokenRun& run) {
    std::vector<std::uint64_t> first;
    for (std::uint64_t i = 0; i <= run.document_count(); ++i) first.push_back(run.first_token(i));
    return first;
  }

  /// Ranges that tile the files visit each document once, in order.
  static void expect_tiled(const TokenRun& run) {
    for (const std::uint64_t piece : {1, 3, 1000, 5000}) {
      std::uint64_t next = 0;
      for (std::size_t file = 0; file < run.shards().files.size(); ++file) {
        const std::uint64_t bytes = fs::file_size(run.shards().files[file]);
        for (std::uint64_t begin = 0; begin < bytes; begin += piece) {
          const auto [first, end] = run.documents_in(file, begin, std::min(begin + piece, bytes));
          EXPECT_EQ(first, next);
          next = end;
        }
      }
      EXPECT_EQ(next, run.document_count());
    }
  }

  static void expect_error(const std::function<void()>& work, ErrorKind kind, const std::string& said) {
    try {
      work();
      ADD_FAILURE() << "no error: " << said;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind);
      EXPECT_THAT(error.what(), HasSubstr(said));
    }
  }

  fs::path folder_;
};

TEST_F(TokenRunTest, LlmcsFirstTokenIsTheVirtualStartAndDocumentsGoOnFromFileToFile) {
  const TokenShards shards{
      Layout::llmc, {write_llmc("a.bin", {9, 1, 2, 9, 3}), write_llmc("b.bin", {4, 9, 9}), write_llmc("c.bin", {5})}};
  const TokenRun run(shards, kIds);
  EXPECT_THAT(tokens_of(run), ElementsAre(1, 2, 9, 3, 4, 9, 9, 5, 9));
  EXPECT_THAT(documents_of(run), ElementsAre(0, 3, 6, 7, 9));
  EXPECT_EQ(run.place_of(1), (TokenRun::Place{0, 1024 + 8}));
  EXPECT_EQ(run.place_of(3), (TokenRun::Place{2, 1024}));
  EXPECT_FALSE(run.end_was_added(3));
  expect_tiled(run);
}

TEST_F(TokenRunTest, AnLlmcFileMayBeginInsideADocumentAndEndInAnEmptyOne) {
  const TokenRun run({Layout::llmc, {write_llmc("a.bin", {1, 9, 2, 9})}}, kIds);
  EXPECT_THAT(tokens_of(run), ElementsAre(1, 9, 2, 9, 9));
  EXPECT_THAT(documents_of(run), ElementsAre(0, 2, 4, 5));
  expect_tiled(run);
  const TokenRun only_end({Layout::llmc, {write_llmc("b.bin", {9})}}, kIds);
  EXPECT_THAT(tokens_of(only_end), ElementsAre(9));
  const TokenRun empty({Layout::llmc, {write_llmc("c.bin", {})}}, kIds);
  EXPECT_EQ(empty.token_count(), 0U);
  EXPECT_EQ(empty.document_count(), 0U);
}

TEST_F(TokenRunTest, TheStartTokenOfLlama3StandsForEndOfText) {
  const DocumentIds llama{200'000, 128'001, 128'000};
  const auto file =
      write("a.bin", llmc_header_bytes({{4, false}, 5}), std::vector<std::uint32_t>{128'000, 1, 128'000, 70'000, 2});
  const TokenRun run({Layout::llmc, {file}}, llama);
  EXPECT_THAT(tokens_of(run), ElementsAre(1, 128'001, 70'000, 2, 128'001));
  EXPECT_THAT(documents_of(run), ElementsAre(0, 2, 5));
}

TEST_F(TokenRunTest, MegatronsDocumentsAreTheIndexsAndNoEndOfTextIsDoubled) {
  const TokenRun run({Layout::megatron, {write_megatron({1, 9, 2, 3, 9, 4, 9, 5}, {0, 2, 2, 4, 7, 7, 8})}}, kIds);
  EXPECT_THAT(tokens_of(run), ElementsAre(1, 9, 9, 2, 3, 9, 9, 4, 9, 9, 5, 9));
  EXPECT_THAT(documents_of(run), ElementsAre(0, 2, 3, 6, 9, 10, 12));
  const std::vector<bool> added{false, true, true, false, true, true};
  for (std::size_t i = 0; i < added.size(); ++i) EXPECT_EQ(run.end_was_added(i), added[i]) << i;
  expect_tiled(run);
}

TEST_F(TokenRunTest, MegatronsOtherTypesAreRead) {
  EXPECT_THAT(tokens_of(TokenRun({Layout::megatron, {write_megatron<std::int32_t>({1, 9, 99}, {0, 2, 3})}}, kIds)),
              ElementsAre(1, 9, 99, 9));
  const auto file = write_megatron<std::int32_t>({1, -2, 9}, {0, 3});
  expect_error(
      [&] {
        TokenRun({Layout::megatron, {file}}, kIds);
      },
      ErrorKind::bad_data, "m.bin': token -2 at byte 4 (token 1 of the file) is outside the vocabulary of 100");
}

TEST_F(TokenRunTest, NanoGptsDocumentsEndInEndOfText) {
  const auto write_raw = [&](const std::vector<std::uint16_t>& tokens) {
    return TokenRun({Layout::nanogpt, {write("n.bin", "", tokens)}}, kIds);
  };
  const TokenRun whole = write_raw({1, 9, 9, 2, 3, 9});
  EXPECT_THAT(tokens_of(whole), ElementsAre(1, 9, 9, 2, 3, 9));
  EXPECT_THAT(documents_of(whole), ElementsAre(0, 2, 3, 6));
  EXPECT_FALSE(whole.end_was_added(2));
  expect_tiled(whole);
  const TokenRun open = write_raw({1, 9, 2});
  EXPECT_THAT(tokens_of(open), ElementsAre(1, 9, 2, 9));
  EXPECT_TRUE(open.end_was_added(1));
  expect_error([&] { open_shard(Layout::nanogpt, write("odd.bin", "x", std::vector<std::uint16_t>{1})); },
               ErrorKind::bad_data, "3 bytes are no whole number of u16 tokens");
}

TEST_F(TokenRunTest, AnIdOutsideTheDocumentIdsIsNamedWithFileAndPlace) {
  const auto file = write_llmc("a.bin", {9, 1, 100});
  expect_error(
      [&] {
        TokenRun({Layout::llmc, {file}}, kIds);
      },
      ErrorKind::bad_data, "a.bin': token 100 at byte 1028 (token 2 of the file) is outside the vocabulary of 100");
}

TEST_F(TokenRunTest, FilesAreFoundByContentByWhatTheirNamesBeginWithAndInFolders) {
  const auto files = [&](const fs::path& path) {
    const auto found = find_token_shards(path);
    std::vector<std::string> names;
    for (const auto& each : found ? found->files : std::vector<fs::path>{}) names.push_back(each.filename().string());
    return names;
  };
  write_llmc("train_1.bin", {9, 1});
  write_llmc("train_0.bin", {9, 2});
  write_llmc("val_0.bin", {9, 3});
  std::ofstream(folder_ / "README") << "tokens";
  EXPECT_THAT(files(folder_ / "train_"), ElementsAre("train_0.bin", "train_1.bin"));
  EXPECT_THAT(files(folder_ / "val_0.bin"), ElementsAre("val_0.bin"));
  EXPECT_THAT(files(folder_), ElementsAre("train_0.bin", "train_1.bin", "val_0.bin"));
  EXPECT_TRUE(files(folder_ / "README").empty());
  EXPECT_TRUE(files(folder_ / "nothing").empty());
  write_megatron({1, 9}, {0, 2});
  EXPECT_THAT(files(folder_ / "m"), ElementsAre("m.bin"));
  EXPECT_THAT(files(folder_ / "m.idx"), ElementsAre("m.bin"));
  EXPECT_THAT(files(folder_ / "m.bin"), ElementsAre("m.bin"));
  expect_error([&] { find_token_shards(folder_); }, ErrorKind::bad_data, "holds tokens of Megatron and of llm.c");
  fs::remove(folder_ / "m.idx");
  expect_error([&] { find_token_shards(folder_); }, ErrorKind::bad_data, "m.bin' is no file of llm.c tokens");
}

class WrittenShards : public TokenRunTest, public ::testing::WithParamInterface<Layout> {};

TEST_P(WrittenShards, AreReadAsTheDocumentsThatWereWritten) {
  for (const DocumentIds& ids : {kIds, DocumentIds{70'000, 69'999, 69'998}}) {
    for (const std::uint64_t shard_tokens : {1, 2, 5, 1000}) {
      fs::remove_all(folder_);
      fs::create_directories(folder_);
      const std::uint32_t end = ids.end_of_text;
      const std::vector<Tokens> documents{{1, 2, 3, end}, {end}, {4, end}, {end}};
      const auto writer = GetParam() == Layout::llmc ? foreign::write_llmc(folder_, ids, shard_tokens)
                                                     : foreign::write_megatron(folder_, ids);
      for (const Tokens& each : documents) writer->append(each);
      const TokenShards written = writer->finish();
      EXPECT_EQ(find_token_shards(folder_)->files, written.files);
      const TokenRun run(written, ids);
      EXPECT_EQ(tokens_of(run), (Tokens{1, 2, 3, end, end, 4, end, end}));
      EXPECT_THAT(documents_of(run), ElementsAre(0, 4, 5, 7, 8));
      for (std::uint64_t i = 0; i < 4; ++i) EXPECT_FALSE(run.end_was_added(i));
      const std::size_t files = GetParam() == Layout::llmc ? (8 + shard_tokens - 1) / shard_tokens : 1;
      EXPECT_EQ(written.files.size(), files);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Layouts, WrittenShards, ::testing::Values(Layout::llmc, Layout::megatron));

TEST_F(TokenRunTest, ADocumentThatHoldsEndOfTextGoesToMegatronAndNotToLlmc) {
  const Tokens document{1, kEnd, 2, kEnd, kEnd};
  const auto megatron = foreign::write_megatron(folder_, kIds);
  megatron->append(document);
  const TokenRun run(megatron->finish(), kIds);
  EXPECT_EQ(tokens_of(run), document);
  EXPECT_EQ(run.document_count(), 1U);
  const auto llmc = foreign::write_llmc(folder_, kIds, 10);
  expect_error([&] { llmc->append(document); }, ErrorKind::bad_data, "document 1 holds token 9, which parts documents");
}

}  // namespace
}  // namespace chainrule::io::tokens::foreign

#include "io/tokens/data_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <thread>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/digest.h"
#include "io/tokens/dataset_index.h"
#include "io/tokens/document_table.h"
#include "io/tokens/shard_reader.h"
#include "io/tokens/shard_writer.h"
#include "tests/support/made_data_set.h"

namespace chainrule::io::tokens {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tests::MadeDataSet;
using tests::write_data_set;

class DataSetTest : public ::testing::Test {
 protected:
  DataSetTest() : folder_(fs::path(::testing::TempDir()) / ("data-set-" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
  }
  ~DataSetTest() override { fs::remove_all(folder_); }

  template <class Work>
  static void expect_error(const Work& work, ErrorKind kind, const std::string& named) {
    try {
      work();
      ADD_FAILURE() << "no error, expected one naming " << named;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      EXPECT_THAT(error.what(), HasSubstr(named));
    }
  }

  fs::path folder_;
};

MadeDataSet ragged() {
  MadeDataSet set;
  set.shards = {{},
                {{.tokens = {1, 2, 3}, .domain = "prose", .bytes = 11, .words = 2, .file = "a.jsonl", .line = 4},
                 {.tokens = {}, .domain = "code", .file = "b.txt"}},
                {},
                {{.tokens = {5, 6}, .domain = "code", .bytes = 7, .words = 3, .file = "c.txt"},
                 {.tokens = {8}, .domain = "prose", .bytes = 1, .file = "a.jsonl", .line = 9}},
                {}};
  return set;
}

TEST_F(DataSetTest, StreamCrossesShardsAndPassesEmptyOnes) {
  write_data_set(folder_, ragged());
  const DataSet set = DataSet::open(folder_);
  EXPECT_EQ(set.shard_count(), 5U);
  EXPECT_EQ(set.token_count(), 10U);
  EXPECT_EQ(set.document_count(), 4U);
  EXPECT_EQ(set.vocabulary_size(), 100U);
  EXPECT_EQ(set.end_of_text(), 99U);
  EXPECT_THAT(set.domains(), ElementsAre("prose", "code"));
  std::vector<std::uint32_t> all(10);
  set.read(0, all);
  EXPECT_THAT(all, ElementsAre(1, 2, 3, 99, 99, 5, 6, 99, 8, 99));
  for (std::uint64_t first = 0; first <= 10; ++first) {
    for (std::uint64_t count = 0; count <= 10 - first; ++count) {
      std::vector<std::uint32_t> window(count);
      set.read(first, window);
      EXPECT_TRUE(std::equal(window.begin(), window.end(), all.begin() + static_cast<std::ptrdiff_t>(first)));
    }
  }
  expect_error([&] { set.read(1, all); }, ErrorKind::bad_data, "outside the 10");
}

TEST_F(DataSetTest, DocumentsAndSourcesAreInStreamOrder) {
  write_data_set(folder_, ragged());
  const DataSet set = DataSet::open(folder_);
  std::vector<DocumentRecord> documents(4);
  set.read_documents(0, documents);
  EXPECT_EQ(documents[0].tokens, 4U);
  EXPECT_EQ(documents[0].bytes, 11U);
  EXPECT_EQ(documents[0].words, 2U);
  EXPECT_TRUE(documents[0].text_hash.has_value());
  EXPECT_EQ(documents[1].first_token, 4U);
  EXPECT_EQ(documents[1].tokens, 1U);
  EXPECT_EQ(documents[1].domain, 1U);
  EXPECT_EQ(documents[2].first_token, 5U);
  EXPECT_EQ(documents[2].domain, 1U);  // its shard's table begins with it
  EXPECT_EQ(documents[3].first_token, 8U);
  EXPECT_EQ(documents[3].domain, 0U);
  std::vector<DocumentSource> sources(4);
  set.read_sources(0, sources);
  EXPECT_EQ(sources[0].file, "a.jsonl");
  EXPECT_EQ(sources[0].line, 4U);
  EXPECT_EQ(sources[1].file, "b.txt");
  EXPECT_EQ(sources[1].line, 0U);
  EXPECT_EQ(sources[3].line, 9U);
  // Any piece is the same as the whole's.
  for (std::uint64_t first = 0; first <= 4; ++first) {
    for (std::uint64_t count = 0; first + count <= 4; ++count) {
      std::vector<DocumentRecord> piece(count);
      std::vector<DocumentSource> their_sources(count);
      set.read_documents(first, piece);
      set.read_sources(first, their_sources);
      for (std::uint64_t i = 0; i < count; ++i) {
        EXPECT_EQ(piece[i], documents[first + i]);
        EXPECT_EQ(their_sources[i].file, sources[first + i].file);
        EXPECT_EQ(their_sources[i].line, sources[first + i].line);
      }
    }
  }
  expect_error([&] { set.read_documents(3, std::span(documents).first(2)); }, ErrorKind::bad_data,
               "documents 3 to 5 are outside the 4");
  const DocumentTable table(set, 3);
  ASSERT_EQ(table.size(), 3U);
  for (const std::uint64_t i : {2, 0, 1}) EXPECT_EQ(table[i], documents[i]);
}

TEST_F(DataSetTest, LargeShardsOfBothWidthsComeBackAndAreReadByThreadsAtOnce) {
  for (const std::uint32_t vocabulary : {65'536U, 65'537U}) {
    MadeDataSet set;
    set.vocabulary_size = vocabulary;
    set.end_of_text = vocabulary - 1;
    set.deflate = vocabulary == 65'537U ? 3 : 0;
    std::mt19937 random(7);
    std::vector<std::uint32_t> stream;
    for (int shard = 0; shard < 3; ++shard) {
      tests::MadeDocument document;
      for (int i = 0; i < 400'000; ++i)
        document.tokens.push_back(static_cast<std::uint32_t>(random() % (vocabulary - 1)));
      stream.insert(stream.end(), document.tokens.begin(), document.tokens.end());
      stream.push_back(set.end_of_text);
      set.shards.push_back({document});
    }
    const fs::path folder = folder_ / std::to_string(vocabulary);
    write_data_set(folder, set);
    const DataSet data = DataSet::open(folder);
    std::vector<std::uint32_t> all(stream.size());
    data.read(0, all);
    EXPECT_EQ(all, stream);
    std::vector<std::thread> threads;
    for (unsigned seed = 1; seed <= 3; ++seed) {
      threads.emplace_back([&, seed] {
        std::mt19937 places(seed);
        std::vector<std::uint32_t> window(1024);
        for (int i = 0; i < 200; ++i) {
          const std::size_t first = places() % (stream.size() - window.size());
          data.read(first, window);
          EXPECT_TRUE(std::equal(window.begin(), window.end(), stream.begin() + static_cast<std::ptrdiff_t>(first)));
        }
      });
    }
    for (auto& thread : threads) thread.join();
  }
}

TEST_F(DataSetTest, WhatIsMissingOrNotAsIndexedIsNamed) {
  expect_error([&] { DataSet::open(folder_); }, ErrorKind::missing_input, "index.json");
  write_data_set(folder_ / "pair" / "train", ragged());
  expect_error([&] { DataSet::open(folder_ / "pair"); }, ErrorKind::missing_input, "two data sets");
  const fs::path folder = folder_ / "set";
  write_data_set(folder, ragged());
  fs::rename(folder / "shard-00001.h5", folder / "away");
  expect_error([&] { DataSet::open(folder); }, ErrorKind::missing_input, "shard-00001.h5");
  fs::copy(folder / "shard-00000.h5", folder / "shard-00001.h5");
  expect_error([&] { DataSet::open(folder); }, ErrorKind::bad_data, "shard-00001.h5");
  fs::rename(folder / "away", folder / "shard-00001.h5");
  DataSet::open(folder);
  fs::remove(folder / "tokenizer.json");
  expect_error([&] { DataSet::open(folder); }, ErrorKind::missing_input, "tokenizer.json");
}

TEST_F(DataSetTest, AlteredBytesOfTheIndexAreRefused) {
  MadeDataSet small;
  small.shards = {{{.tokens = {1, 2, 3}}}};
  write_data_set(folder_, small);
  const std::string text = files::read_file(folder_ / "index.json");
  const DataSet whole = DataSet::open(folder_);
  for (std::size_t at = 0; at < text.size(); at += 3) {
    std::string altered = text;
    altered[at] = static_cast<char>(altered[at] ^ 1);
    std::ofstream(folder_ / "index.json", std::ios::binary) << altered;
    try {
      // White space between values may change without harm.
      EXPECT_EQ(DataSet::open(folder_).fingerprint(), whole.fingerprint()) << "at byte " << at;
      EXPECT_THAT(" \n!\v", HasSubstr(std::string(1, text[at]))) << "at byte " << at;
    } catch (const Error& error) {
      EXPECT_NE(error.kind(), ErrorKind::input_output) << error.what();
    }
  }
}

TEST_F(DataSetTest, NumbersOfTheIndexAreWholeAsTheyStand) {
  write_data_set(folder_, ragged());
  const std::string text = files::read_file(folder_ / "index.json");
  for (const std::string field : {"vocabulary_size", "end_of_text_id", "documents", "tokens", "file_bytes"}) {
    const std::size_t name = text.find("\"" + field + "\"");
    ASSERT_NE(name, std::string::npos) << field;
    std::string altered = text;
    altered.insert(text.find_first_of(",\n}", name), ".0");  // the same number for who compares them
    expect_error([&] { DataSetIndex::parse(altered, "index.json"); }, ErrorKind::bad_data, "is not a whole number");
  }
}

TEST_F(DataSetTest, TokensOutsideTheVocabularyAreNamedWithShardAndOffset) {
  MadeDataSet set = ragged();
  write_data_set(folder_, set);
  // A shard whose attributes claim a smaller vocabulary than its tokens need.
  const ShardHeader small{set.tokenizer_fingerprint, 100, 99};
  const fs::path path = folder_ / "bad.h5";
  {
    hdf5::File file = hdf5::File::create(path);
    const std::vector<std::uint16_t> tokens{1, 40'961, 99};
    file.write_dataset<std::uint16_t>("tokens", tokens);
    const std::vector<std::uint64_t> offsets{0, 3};
    const std::vector<std::uint64_t> one{1};
    const std::vector<std::uint16_t> domain{0};
    const std::vector<std::uint32_t> source{0};
    file.write_dataset<std::uint64_t>("document_offsets", offsets);
    file.write_dataset<std::uint64_t>("document_bytes", one);
    file.write_dataset<std::uint64_t>("document_words", one);
    file.write_dataset<std::uint16_t>("document_domain", domain);
    file.write_dataset<std::uint32_t>("document_source", source);
    file.write_dataset<std::uint64_t>("document_line", one);
    file.write_strings("domains", {"default"});
    file.write_strings("sources", {"a.txt"});
    file.set_format(kShardFormat);
    file.set_attribute("tokenizer_fingerprint", small.tokenizer_fingerprint);
    file.set_attribute("vocabulary_size", std::uint64_t{100});
    file.set_attribute("end_of_text_id", std::uint64_t{99});
    file.set_attribute("token_count", std::uint64_t{3});
    file.set_attribute("document_count", std::uint64_t{1});
    file.close();
  }
  const ShardReader reader(path);
  std::vector<std::uint32_t> tokens(3);
  // It is also one of before documents' hashes were kept.
  EXPECT_TRUE(reader.documents(0, 1).text_hash.empty());
  expect_error([&] { reader.read(0, tokens); }, ErrorKind::bad_data,
               "bad.h5': token 40961 at offset 1 is outside the vocabulary of 100");
  ShardWriter writer(folder_ / "made.h5", small, 1, 0);
  const std::vector<std::uint32_t> outside{100};
  expect_error([&] { writer.append(outside); }, ErrorKind::bad_data, "token 100 is outside");
}

TEST_F(DataSetTest, DocumentsThatDoNotAddUpAreRefused) {
  const ShardHeader header{"f", 100, 99};
  const std::vector<std::uint32_t> tokens{1, 2, 99, 3, 99};
  const auto shard = [&](ShardDocuments documents, ShardSources sources) {
    const fs::path path = folder_ / "shard.h5";
    fs::create_directories(folder_);
    fs::remove(path);
    ShardWriter writer(path, header, tokens.size(), 0);
    writer.append(tokens);
    writer.finish(documents, sources);
    ShardReader(path).verify();
  };
  const ShardDocuments right{{0, 3, 5}, {2, 1}, {1, 1}, {7, 8}, {0, 0}, {"default"}};
  const ShardSources from{{0, 0}, {0, 0}, {"a"}};
  shard(right, from);
  ShardDocuments wrong = right;
  wrong.offsets = {0, 0, 5};
  expect_error([&] { shard(wrong, from); }, ErrorKind::bad_data, "does not rise at document 0");
  wrong.offsets = {1, 3, 5};
  expect_error([&] { shard(wrong, from); }, ErrorKind::bad_data, "does not begin at 0");
  wrong.offsets = {0, 2, 5};
  expect_error([&] { shard(wrong, from); }, ErrorKind::bad_data, "document 0 ends at offset 1 in token 2");
  wrong = right;
  wrong.domain = {0, 1};
  expect_error([&] { shard(wrong, from); }, ErrorKind::bad_data, "domain 1 of document 1");
  ShardSources lost = from;
  lost.source = {0, 1};
  expect_error([&] { shard(right, lost); }, ErrorKind::bad_data, "source 1 of document 1");
}

TEST_F(DataSetTest, TheBytesOfAShardDoNotDependOnHowTokensArrive) {
  const ShardHeader header{"f", 100, 99};
  fs::create_directories(folder_);
  std::vector<std::uint32_t> tokens(1'000'000, 3);
  for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<std::uint32_t>(i * i % 91);
  tokens.back() = 99;
  std::string first;
  for (const std::size_t piece : {std::size_t{1'000'000}, std::size_t{777}, std::size_t{100'001}}) {
    const fs::path path = folder_ / std::to_string(piece);
    ShardWriter writer(path, header, tokens.size(), 1);
    for (std::size_t at = 0; at < tokens.size(); at += piece) {
      writer.append(std::span(tokens).subspan(at, std::min(piece, tokens.size() - at)));
    }
    writer.finish({{0, tokens.size()}, {1}, {1}, {5}, {0}, {"default"}}, {{0}, {0}, {"a"}});
    const std::string digest = files::file_digest(path);
    if (first.empty()) first = digest;
    EXPECT_EQ(digest, first) << piece;
  }
}

}  // namespace
}  // namespace chainrule::io::tokens

#include "io/text/unpacking.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <fstream>

#include "io/error.h"
#include "io/text/find_text.h"
#include "io/text/text_source.h"

namespace chainrule::io::text {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string gzip(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string zstd(const std::string& text) {
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  packed.resize(ZSTD_compress2(context, packed.data(), packed.size(), text.data(), text.size()));
  ZSTD_freeCCtx(context);
  return packed;
}

/// More than a block of random letters, so that it takes several reads.
std::string long_text() {
  std::string text;
  std::uint32_t state = 1;
  for (int i = 0; i < 400'000; ++i) {
    state = state * 1664525U + 1013904223U;
    text += static_cast<char>('a' + (state >> 24U) % 26U);
  }
  return text;
}

class UnpackingTest : public ::testing::TestWithParam<const char*> {
 protected:
  UnpackingTest() : folder_(fs::path(::testing::TempDir()) / ("unpacking-" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }
  ~UnpackingTest() override { fs::remove_all(folder_); }

  fs::path write(const std::string& content, const std::string& name = "x") const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return folder_ / name;
  }

  static std::string packed(const std::string& text) {
    return std::string(GetParam()) == "gzip" ? gzip(text) : zstd(text);
  }

  static std::string read(const fs::path& path) {
    const auto stream = open_unpacked(path);
    std::string text;
    std::string block(1000, '\0');
    while (stream->read(block.data(), static_cast<std::streamsize>(block.size())), stream->gcount() > 0) {
      text.append(block, 0, static_cast<std::size_t>(stream->gcount()));
    }
    return text;
  }

  void expect_damaged(const std::string& content, const std::string& said) const {
    const fs::path path = write(content);
    try {
      read(path);
      ADD_FAILURE() << "read as if whole; expected: " << said;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::bad_data);
      EXPECT_THAT(error.what(), HasSubstr(path.string() + "': " + said));
    }
  }

  fs::path folder_;
};

TEST_P(UnpackingTest, WhatIsPackedComesBackInAnyNumberOfParts) {
  const std::string text = long_text();
  EXPECT_EQ(read(write(text)), text);
  EXPECT_EQ(read(write(packed(text))), text);
  EXPECT_EQ(read(write(packed(text) + packed("") + packed("more"))), text + "more");
  EXPECT_EQ(read(write(packed(""))), "");
}

TEST_P(UnpackingTest, APlaceIsFoundAgain) {
  const std::string text = long_text();
  const auto stream = open_unpacked(write(packed(text)));
  for (const std::size_t place : {300'000U, 5U, 399'999U, 0U, 131'072U, 131'071U, 390'000U}) {
    stream->seekg(static_cast<std::streamoff>(place));
    EXPECT_EQ(stream->tellg(), static_cast<std::streamoff>(place));
    EXPECT_EQ(stream->get(), text[place]);
    EXPECT_EQ(stream->tellg(), static_cast<std::streamoff>(place + 1));
  }
}

TEST_P(UnpackingTest, DamageIsNamed) {
  const std::string whole = packed(long_text());
  expect_damaged(whole.substr(0, whole.size() - 1), "it is cut off");
  expect_damaged(whole.substr(0, whole.size() / 2), "it is cut off");
  expect_damaged(whole.substr(0, 6), "it is cut off");
  for (const std::size_t at : {whole.size() / 2, whole.size() - 6}) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    expect_damaged(damaged, "");
  }
  expect_damaged(whole + "trailing text", "");
}

TEST_P(UnpackingTest, JsonLinesInItAreFoundByNameAndByContentAndNothingElseIs) {
  const std::string lines = "{\"text\": \"one\", \"page\": \"1\"}\n\n{\"text\": \"two\", \"page\": \"22\"}\n";
  write(packed(lines), "c4.json.packed");
  write(packed(lines), "named.jsonl.gz");
  write(packed("prose\n"), "prose.packed");
  write(packed(std::string(600, '\0')), "binary.packed");
  const FoundTexts found = find_text_files({folder_.string()});
  ASSERT_EQ(found.files.size(), 2U);
  EXPECT_EQ(found.left_out.size(), 2U);
  for (const TextFile& file : found.files) {
    EXPECT_TRUE(file.streamed);
    std::vector<std::string> seen;
    const auto visit = [&](const Document& document) {
      seen.push_back(std::string(document.text) + "/" + std::string(document.counted) + "/" +
                     std::to_string(document.line));
    };
    EXPECT_EQ(visit_documents(file, {0, 3}, {"text", "page"}, visit), 3U);
    EXPECT_EQ(visit_documents(file, {3, file.bytes}, {"text", "page"}, visit), 0U);
    EXPECT_THAT(seen, ElementsAre("one/1/1", "two/22/3"));
  }
  EXPECT_TRUE(find_text_files({folder_.string()}, {"text", FormatChoice::plain, {}}).files.empty());
}

TEST(CountField, IsRequiredWhereItIsAskedFor) {
  const fs::path path = fs::path(::testing::TempDir()) / ("count-" + std::to_string(::getpid()) + ".jsonl");
  std::ofstream(path) << "{\"text\": \"a\", \"page\": 3}\n";
  const TextFile file = find_text_files({path.string()}).files.at(0);
  const auto said = [&](const char* field) {
    try {
      visit_documents(file, {"text", field}, [](const Document&) {});
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(said("page"), HasSubstr("line 1: field 'page' is not a string"));
  EXPECT_THAT(said("body"), HasSubstr("line 1: no field 'body'"));
  EXPECT_EQ(said("text"), "");
  fs::remove(path);
}

INSTANTIATE_TEST_SUITE_P(Packers, UnpackingTest, ::testing::Values("gzip", "zstd"));

}  // namespace
}  // namespace chainrule::io::text

// Headers and indices of other systems' token files: what they are, and what they cannot be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <limits>
#include <string>

#include "io/error.h"
#include "io/tokens/foreign/llmc_header.h"
#include "io/tokens/foreign/megatron_index.h"

namespace chainrule::io::tokens::foreign {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

template <class Value>
void put(std::string& bytes, std::size_t offset, Value value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

void expect_refusal(const std::function<void()>& parse, const std::string& said) {
  try {
    parse();
    ADD_FAILURE() << "not refused: " << said;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_data);
    EXPECT_THAT(error.what(), HasSubstr(said));
  }
}

std::string llmc_bytes(std::int32_t magic, std::int32_t version, std::int32_t tokens) {
  std::string bytes(kLlmcHeaderBytes, '\0');
  put(bytes, 0, magic);
  put(bytes, 4, version);
  put(bytes, 8, tokens);
  return bytes;
}

TEST(LlmcHeader, BothKindsAreRead) {
  const LlmcHeader gpt2 = parse_llmc_header(bytes_of(llmc_bytes(20240520, 1, 10)), 1024 + 20);
  EXPECT_EQ(gpt2.tokens, 10U);
  EXPECT_EQ(gpt2.type, (TokenType{2, false}));
  const LlmcHeader llama = parse_llmc_header(bytes_of(llmc_bytes(20240801, 7, 10)), 1024 + 40);
  EXPECT_EQ(llama.tokens, 10U);
  EXPECT_EQ(llama.type, (TokenType{4, false}));
  for (const LlmcHeader& each : {gpt2, llama}) {
    const std::string bytes = llmc_header_bytes(each);
    EXPECT_EQ(bytes, each.type.bytes == 2 ? llmc_bytes(20240520, 1, 10) : llmc_bytes(20240801, 7, 10));
  }
}

TEST(LlmcHeader, WhatItCannotBeIsRefused) {
  const auto refused = [](const std::string& bytes, std::uint64_t file_bytes, const std::string& said) {
    expect_refusal([&] { parse_llmc_header(bytes_of(bytes), file_bytes); }, said);
  };
  const std::string good = llmc_bytes(20240520, 1, 10);
  refused("", 0, "magic number");
  refused(llmc_bytes(20240326, 3, 10), 1044, "magic number");
  refused(good.substr(0, 1023), 1023, "ends after 1023 bytes, inside the header");
  refused(llmc_bytes(20240520, 2, 10), 1044, "version 2; with magic number 20240520 version 1 is read");
  refused(llmc_bytes(20240801, 1, 10), 1064, "version 1; with magic number 20240801 version 7 is read");
  refused(llmc_bytes(20240520, 1, -1), 1024, "says -1 tokens");
  refused(llmc_bytes(20240520, 1, std::numeric_limits<std::int32_t>::min()), 1024, "says -2147483648 tokens");
  refused(good, 1043, "cut off: 1043 bytes are there, 10 tokens take 1044");
  refused(good, 1045, "1 bytes follow at offset 1044, behind the 10 tokens");
  refused(llmc_bytes(20240801, 7, std::numeric_limits<std::int32_t>::max()), 1024, "cut off");
}

/// An index of 4 sequences of 3, 0, 2 and 1 tokens; documents of sequences 0-1, none, 2 and 3.
constexpr std::size_t kLengths = 34;
constexpr std::size_t kPointers = kLengths + 4 * 4;
constexpr std::size_t kDocuments = kPointers + 4 * 8;

std::string index_bytes(std::uint8_t type = 8, std::int64_t token_bytes = 2) {
  std::string bytes(kDocuments + 5 * 8, '\0');
  std::memcpy(bytes.data(), "MMIDIDX\0\0", 9);
  put<std::uint64_t>(bytes, 9, 1);
  put(bytes, 17, type);
  put<std::uint64_t>(bytes, 18, 4);
  put<std::uint64_t>(bytes, 26, 5);
  std::int64_t token = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::int32_t length = std::array{3, 0, 2, 1}[i];
    put(bytes, kLengths + i * 4, length);
    put(bytes, kPointers + i * 8, token * token_bytes);
    token += length;
  }
  for (std::size_t i = 0; i < 5; ++i) put<std::int64_t>(bytes, kDocuments + i * 8, std::array{0, 2, 2, 3, 4}[i]);
  return bytes;
}

TEST(MegatronIndexTest, DocumentsAreThoseOfItsSequencesInAnyIntegerType) {
  const std::array types = {TokenType{1, false}, TokenType{1, true}, TokenType{2, true}, TokenType{4, true},
                            TokenType{8, true}};
  for (std::size_t code = 1; code <= types.size(); ++code) {
    const TokenType type = types[code - 1];
    const MegatronIndex index =
        parse_megatron_index(bytes_of(index_bytes(static_cast<std::uint8_t>(code), type.bytes)), 6U * type.bytes);
    EXPECT_EQ(index.type, type);
    EXPECT_THAT(index.documents, ElementsAre(0, 3, 3, 5, 6));
  }
  EXPECT_EQ(parse_megatron_index(bytes_of(index_bytes()), 12).type, (TokenType{2, false}));
}

TEST(MegatronIndexTest, WhatIsWrittenIsReadBack) {
  for (const TokenType type : {TokenType{2, false}, TokenType{4, true}}) {
    const MegatronIndex index{type, {0, 4, 5, 9}};
    const MegatronIndex back = parse_megatron_index(bytes_of(megatron_index_bytes(index)), 9U * type.bytes);
    EXPECT_EQ(back.type, type);
    EXPECT_EQ(back.documents, index.documents);
  }
  EXPECT_EQ(parse_megatron_index(bytes_of(megatron_index_bytes({{2, false}, {0}})), 0).tokens(), 0U);
}

TEST(MegatronIndexTest, WhatItCannotBeIsRefused) {
  const auto refused = [](const std::string& said, const std::function<void(std::string&)>& break_it,
                          std::uint64_t data_bytes = 12) {
    std::string bytes = index_bytes();
    break_it(bytes);
    expect_refusal([&] { parse_megatron_index(bytes_of(bytes), data_bytes); }, said);
  };
  const auto put_at = [](std::size_t offset, auto value) {
    return [offset, value](std::string& bytes) { put(bytes, offset, value); };
  };
  constexpr auto kHuge = std::numeric_limits<std::uint64_t>::max();
  refused("does not begin as a Megatron index", [](std::string& bytes) { bytes[3] = 'X'; });
  refused("does not begin as a Megatron index", [](std::string& bytes) { bytes.clear(); });
  refused("ends after 33 bytes, inside its header", [](std::string& bytes) { bytes.resize(33); });
  refused("version 2", put_at(9, std::uint64_t{2}));
  refused("type 0 (none)", put_at(17, std::uint8_t{0}));
  refused("type 6 (f64)", put_at(17, std::uint8_t{6}));
  refused("type 9 (?)", put_at(17, std::uint8_t{9}));
  refused("cut off", [](std::string& bytes) { bytes.pop_back(); });
  refused("8 bytes follow at offset 122", [](std::string& bytes) { bytes.append(8, '\0'); });
  refused("modes of a multimodal set", [](std::string& bytes) { bytes.append(4, '\0'); });
  refused("cut off", put_at(18, kHuge));
  refused("cut off", put_at(18, kHuge / 12 + 1));
  refused("cut off", put_at(26, kHuge));
  refused("cut off", put_at(26, kHuge / 8 + 1));
  refused("bytes follow at offset", put_at(26, std::uint64_t{0}));
  refused("sequence 2 has length -2", put_at(kLengths + 8, std::int32_t{-2}));
  refused("sequence 0 of 2147483647 tokens", put_at(kLengths, std::numeric_limits<std::int32_t>::max()));
  refused("sequence 2 lies at byte 4, the ones before it end at 6", put_at(kPointers + 16, std::int64_t{4}));
  refused("sequence 2 lies at byte -6", put_at(kPointers + 16, std::int64_t{-6}));
  refused("sequence 3 lies at byte 12", put_at(kPointers + 24, std::int64_t{12}));
  refused("begin with 1, not with 0", put_at(kDocuments, std::int64_t{1}));
  refused("document index 1 is -1 behind 0", put_at(kDocuments + 8, std::int64_t{-1}));
  refused("document index 3 is 1 behind 2", put_at(kDocuments + 24, std::int64_t{1}));
  refused("document index 4 is 5, there are 4 sequences", put_at(kDocuments + 32, std::int64_t{5}));
  refused("end with 3, not with the 4 sequences", put_at(kDocuments + 32, std::int64_t{3}));
  const auto nothing = [](std::string&) {};
  refused("does not go into the 11 bytes", nothing, 11);
  refused("end at byte 12 of the .bin, which has 13", nothing, 13);
  refused("end at byte 12 of the .bin, which has 14", nothing, 14);
  expect_refusal([] { megatron_index_bytes({{2, false}, {0, std::uint64_t{1} << 31U}}); }, "document 0 has 2147483648");
}

}  // namespace
}  // namespace chainrule::io::tokens::foreign

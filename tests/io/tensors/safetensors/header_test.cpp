// One safetensors file: what the real library wrote is read, and every rule of the format is kept.
#include "io/tensors/safetensors/header.h"

#include "io/files/atomic_file.h"
#include "io/tensors/safetensors/open.h"
#include "tests/io/tensors/safetensors/safetensors_case.h"

namespace chainrule::io::tensors::safetensors {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TensorTable parse(const std::string& file) { return parse_file(as_span(file), "'x'"); }

std::string refused(const std::string& file) {
  return refusal([&] { parse(file); });
}
std::string refused(std::string_view header, std::size_t data_bytes) { return refused(file_of(header, data_bytes)); }

TEST(SafetensorsHeader, WhatTheLibraryWroteIsRead) {
  const MappedTensors tensors = open(std::filesystem::path(CHAINRULE_SAFETENSORS_DATA) / "real.safetensors");
  EXPECT_THAT(tensors.names(),
              ElementsAre("b\u00fc \"quoted\"", "half", "ids", "mask", "matrix", "none", "rounded", "scalar"));
  const StoredTensor matrix = tensors.tensor("matrix");
  EXPECT_EQ(matrix.encoding, Encoding::f32);
  EXPECT_THAT(matrix.shape, ElementsAre(4, 3));
  EXPECT_THAT(floats_of(matrix.bytes), ElementsAre(0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 2.75));
  const StoredTensor half = tensors.tensor("half");
  EXPECT_EQ(half.encoding, Encoding::f16);
  EXPECT_EQ(as_text(half.bytes), std::string("\x00\xc0\x00\xbc\x00\x00\x00\x3c\x00\x40\x00\x42", 12));
  const StoredTensor rounded = tensors.tensor("rounded");
  EXPECT_EQ(rounded.encoding, Encoding::bf16);
  EXPECT_EQ(as_text(rounded.bytes), std::string("\x00\x00\xab\x3e\x2b\x3f\x80\x3f\xab\x3f", 10));
  EXPECT_THAT(tensors.tensor("none").shape, ElementsAre(0, 7));
  EXPECT_TRUE(tensors.tensor("none").bytes.empty());
  EXPECT_TRUE(tensors.tensor("scalar").shape.empty());
  EXPECT_THAT(floats_of(tensors.tensor("scalar").bytes), ElementsAre(2.5));
}

TEST(SafetensorsHeader, OtherTypesAreListedAndRefusedWhereTheyAreAskedFor) {
  const MappedTensors tensors = open(std::filesystem::path(CHAINRULE_SAFETENSORS_DATA) / "real.safetensors");
  EXPECT_EQ(tensors.type_name("mask"), "BOOL");
  EXPECT_EQ(tensors.type_name("ids"), "I64");
  EXPECT_TRUE(tensors.contains("mask"));
  EXPECT_FALSE(tensors.contains("Mask"));
  EXPECT_THAT(refusal([&] { static_cast<void>(tensors.tensor("mask")); }),
              HasSubstr("real.safetensors': tensor 'mask' is of type 'BOOL', which is not read"));
  EXPECT_THAT(refusal([&] { static_cast<void>(tensors.tensor("other")); }), HasSubstr("has no tensor 'other'"));
  EXPECT_THAT(refused("{" + entry("a", "F5", "[1]", 0, 1) + "}", 1),
              HasSubstr("'a' is of type 'F5', which is not known"));
}

TEST(SafetensorsHeader, BytesNeedNoAlignment) {
  const std::string file =
      file_of("{" + entry("b", "U8", "[1]", 0, 1) + "," + entry("a", "F32", "[1]", 1, 5) + "} ", 5);
  EXPECT_EQ(as_text(parse(file).at("a").bytes), "\x01\x02\x03\x04");
}

TEST(SafetensorsHeader, AFileWithoutTensorsIsOne) { EXPECT_TRUE(parse(file_of("{}", 0)).empty()); }

TEST(SafetensorsHeader, LengthOfTheHeaderIsChecked) {
  EXPECT_THAT(refused(""), HasSubstr("too short"));
  EXPECT_THAT(refused(std::string("\x02\x00\x00", 3)), HasSubstr("too short"));
  EXPECT_THAT(refused(bytes_of(std::uint64_t{3}) + "{}"), HasSubstr("ends within its header"));
  EXPECT_THAT(refused(bytes_of(std::uint64_t{100'000'001}) + "{}"), HasSubstr("at most 100000000 are read"));
  EXPECT_THAT(refused(bytes_of(~std::uint64_t{0}) + "{}"), HasSubstr("at most 100000000 are read"));
  EXPECT_THAT(refused(bytes_of(std::uint64_t{0})), HasSubstr("does not begin with '{'"));
  EXPECT_THAT(refused(" {}", 0), HasSubstr("does not begin with '{'"));
}

TEST(SafetensorsHeader, TensorsLieSideBySideUpToTheEndOfTheFile) {
  const std::string first = entry("a", "F32", "[1]", 0, 4);
  EXPECT_THAT(refused("{" + first + "}", 5), HasSubstr("end at byte 4 behind the header, the file at byte 5"));
  EXPECT_THAT(refused("{" + first + "}", 3), HasSubstr("end at byte 4 behind the header, the file at byte 3"));
  EXPECT_THAT(refused("{}", 1), HasSubstr("end at byte 0"));
  EXPECT_THAT(refused("{" + first + "," + entry("b", "U8", "[1]", 5, 6) + "}", 6),
              HasSubstr("'b' begins at byte 5 behind the header, where bytes from 4 on are nobody's"));
  EXPECT_THAT(refused("{" + first + "," + entry("b", "U8", "[3]", 3, 6) + "}", 6),
              HasSubstr("'b' begins at byte 3 behind the header, where another lies"));
  EXPECT_THAT(refused("{" + entry("a", "U8", "[1]", 1, 2) + "}", 2), HasSubstr("bytes from 0 on are nobody's"));
  EXPECT_THAT(refused("{" + entry("a", "U8", "[0]", 4, 0) + "}", 4), HasSubstr("ends before it begins"));
  EXPECT_THAT(refused("{" + entry("a", "U8", "[0]", 0, INT64_MAX) + "}", 4), HasSubstr("the file at byte 4"));
}

TEST(SafetensorsHeader, BytesAreThoseOfTypeAndShape) {
  const auto refused_shape = [](std::string_view type, std::string_view shape, std::size_t bytes) {
    return refused("{" + entry("a", type, shape, 0, bytes) + "}", bytes);
  };
  EXPECT_THAT(refused_shape("F32", "[2]", 4), HasSubstr("'a' has 4 bytes, which is not what its type and shape take"));
  EXPECT_THAT(refused_shape("BF16", "[2]", 8), HasSubstr("not what its type"));
  EXPECT_THAT(refused_shape("F32", "[0]", 4), HasSubstr("not what its type"));
  EXPECT_THAT(refused_shape("F4", "[3]", 1), HasSubstr("not what its type"));
  EXPECT_THAT(refused_shape("F32", "[4294967296,4294967296]", 0), HasSubstr("not what its type"));
  EXPECT_THAT(refused_shape("F32", "[9223372036854775807,1]", 0), HasSubstr("not what its type"));
  EXPECT_EQ(parse(file_of("{" + entry("a", "F4", "[2,2]", 0, 2) + "}", 2)).size(), 1U);
}

TEST(SafetensorsHeader, OnlyWhatBelongsIntoAHeaderIsTaken) {
  const std::string good = R"("dtype":"U8","shape":[1],"data_offsets":[0,1])";
  EXPECT_EQ(parse(file_of("{\"a\":{" + good + "}}", 1)).size(), 1U);
  EXPECT_THAT(refused("{\"a\":{" + good + ",\"x\":1}}", 1), HasSubstr("'a' has 'x', which is not known"));
  EXPECT_THAT(refused(R"({"a":{"dtype":"U8","shape":[1]}})", 1), HasSubstr("'a' lacks"));
  EXPECT_THAT(refused("{\"a\":{" + good + ",\"dtype\":\"U8\"}}", 1), HasSubstr("'a' has 'dtype' twice"));
  EXPECT_THAT(refused("{\"a\":{" + good + "},\"a\":{" + good + "}}", 1), HasSubstr("'a' is there twice"));
  EXPECT_THAT(refused(R"({"a":{"dtype":["U8"],"shape":[1],"data_offsets":[0,1]}})", 1), HasSubstr("no string"));
  EXPECT_THAT(refused(R"({"a":{"dtype":"U8","shape":"1","data_offsets":[0,1]}})", 1), HasSubstr("no array"));
  EXPECT_THAT(refused(R"({"a":{"dtype":"U8","shape":[[1]],"data_offsets":[0,1]}})", 1), HasSubstr("does not belong"));
  EXPECT_THAT(refused(R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})", 1), HasSubstr("below 0"));
  EXPECT_THAT(refused(R"({"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}})", 1), HasSubstr("does not belong"));
  EXPECT_THAT(refused(R"({"a":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,1]}})", 1),
              HasSubstr("beyond 2^63"));
  EXPECT_THAT(refused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}})", 1),
              HasSubstr("a begin and an end"));
  EXPECT_THAT(refused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}})", 1), HasSubstr("a begin and an end"));
  EXPECT_THAT(refused(R"({"a":{"dtype":null,"shape":[1],"data_offsets":[0,1]}})", 1), HasSubstr("does not belong"));
  EXPECT_THAT(refused(R"({"a":1})", 0), HasSubstr("does not belong"));
  EXPECT_THAT(refused(R"({"a":{"b":{}}})", 0), HasSubstr("not known"));
  EXPECT_THAT(refused("{\"a\":{" + good + "}}x", 1), HasSubstr("malformed"));
  EXPECT_THAT(refused("{\"a\":{" + good + "}}" + std::string(2, '\0'), 1), HasSubstr("malformed"));
  EXPECT_THAT(refused("{\"a", 0), HasSubstr("malformed"));
  EXPECT_THAT(refused("{\"\xff\":1}", 0), HasSubstr("malformed"));
}

TEST(SafetensorsHeader, MetadataMapsStringsToStrings) {
  EXPECT_TRUE(parse(file_of(R"({"__metadata__":{"format":"pt","x":""}})", 0)).empty());
  EXPECT_THAT(refused(R"({"__metadata__":{"format":1}})", 0), HasSubstr("'__metadata__' holds something"));
  EXPECT_THAT(refused(R"({"__metadata__":{"format":{}}})", 0), HasSubstr("'__metadata__' holds something"));
  EXPECT_THAT(refused(R"({"__metadata__":{"format":[]}})", 0), HasSubstr("'__metadata__' holds something"));
  EXPECT_THAT(refused(R"({"__metadata__":"pt"})", 0), HasSubstr("'__metadata__' holds something"));
  EXPECT_THAT(refused(R"({"__metadata__":{"a":"","a":""}})", 0), HasSubstr("'__metadata__' has 'a' twice"));
  EXPECT_THAT(refused(R"({"__metadata__":{},"__metadata__":{}})", 0), HasSubstr("'__metadata__' is there twice"));
}

}  // namespace
}  // namespace chainrule::io::tensors::safetensors

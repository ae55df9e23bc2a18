// GGUF files that say what cannot be, or what is not read: each is refused, and nothing is allocated for a count.
#include "io/tensors/gguf/fields.h"
#include "io/tensors/gguf/file.h"
#include "tests/io/tensors/gguf/gguf_case.h"

namespace chainrule::io::tensors::gguf {
namespace {

using testing::HasSubstr;

Contents parse(const std::string& file) { return parse_file(as_span(file), "'x'"); }
std::string refused(const std::string& file) {
  return refusal([&] { parse(file); });
}

const std::string kOne = pair("one", ValueType::u32, bytes_of(std::uint32_t{1}));
constexpr std::uint32_t kF32 = 0;
constexpr std::uint32_t kQ8 = 8;

TEST(GgufHostile, VersionsTwoAndThreeOfOurByteOrderAreRead) {
  EXPECT_NO_THROW(parse(file_of({kOne}, {}, 0, 2)));
  EXPECT_THAT(refused(file_of({kOne}, {}, 0, 1)),
              HasSubstr("'x' is no GGUF file that is read: version 1, where 2 and 3"));
  EXPECT_THAT(refused(file_of({kOne}, {}, 0, 4)), HasSubstr("version 4"));
  EXPECT_THAT(refused(file_of({kOne}, {}, 0, 0)), HasSubstr("version 0"));
  EXPECT_THAT(refused(file_of({kOne}, {}, 0, 0x03000000)), HasSubstr("big-endian, at byte 4"));
  EXPECT_THAT(refused("GGML" + file_of({}, {}, 0).substr(4)), HasSubstr("does not begin with 'GGUF', at byte 0"));
  EXPECT_THAT(refused(""), HasSubstr("ends within a field of 4 bytes, at byte 0"));
}

TEST(GgufHostile, EveryCutIsNoticed) {
  const std::string whole = file_of({kOne, pair("s", ValueType::string, text("abc")),
                                     pair("a", ValueType::array, array(ValueType::string, 2, text("x") + text("yz")))},
                                    {tensor("t", {4, 2}, kF32, 0)}, 32);
  EXPECT_NO_THROW(parse(whole));
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    EXPECT_THAT(refused(whole.substr(0, bytes)), HasSubstr("is no GGUF file that is read")) << bytes;
  }
}

TEST(GgufHostile, CountsAreBoundedByWhatIsThere) {
  const std::string head = "GGUF" + bytes_of(std::uint32_t{3});
  EXPECT_THAT(refused(head + bytes_of(~std::uint64_t{0}) + bytes_of(std::uint64_t{0})),
              HasSubstr("at most 65536 are read"));
  EXPECT_THAT(refused(head + bytes_of(std::uint64_t{0}) + bytes_of(std::uint64_t{1} << 60U)),
              HasSubstr("keys, where at most"));
  EXPECT_THAT(refused(head + bytes_of(std::uint64_t{60'000}) + bytes_of(std::uint64_t{0})),
              HasSubstr("ends within a field"));
  const auto refused_array = [](ValueType type, std::uint64_t count) {
    return refused(file_of({pair("a", ValueType::array, array(type, count, ""))}, {}, 0));
  };
  EXPECT_THAT(refused_array(ValueType::u8, kMostElements + 1), HasSubstr("an array of 16777217 elements"));
  EXPECT_THAT(refused_array(ValueType::f64, ~std::uint64_t{0}), HasSubstr("an array of 18446744073709551615 elements"));
  EXPECT_THAT(refused_array(ValueType::u64, kMostElements), HasSubstr("ends within a field of 134217728 bytes"));
  EXPECT_THAT(refused_array(ValueType::string, 1000), HasSubstr("ends within a field"));
  EXPECT_THAT(refused_array(ValueType::array, 1000), HasSubstr("is no GGUF file"));
  EXPECT_THAT(refused(file_of({text("s") + bytes_of(std::uint32_t{8}) + bytes_of(~std::uint64_t{0})}, {}, 0)),
              HasSubstr("ends within a field of 18446744073709551615 bytes"));
}

TEST(GgufHostile, ArraysNestToABound) {
  const auto nested = [](int depth) {
    std::string value = array(ValueType::u8, 2, "ab");
    for (int i = 1; i < depth; ++i) value = array(ValueType::array, 1, value);
    return file_of({pair("a", ValueType::array, value)}, {}, 0);
  };
  EXPECT_NO_THROW(parse(nested(kDeepestArrays)));
  EXPECT_THAT(refused(nested(kDeepestArrays + 1)), HasSubstr("nested deeper than 4 levels"));
  EXPECT_THAT(refused(nested(1000)), HasSubstr("nested deeper than 4 levels"));
}

TEST(GgufHostile, ValuesAreOfKnownTypes) {
  EXPECT_THAT(refused(file_of({text("k") + bytes_of(std::uint32_t{13})}, {}, 0)),
              HasSubstr("a value of unknown type 13"));
  EXPECT_THAT(refused(file_of({pair("a", ValueType::array, bytes_of(std::uint32_t{99}))}, {}, 0)),
              HasSubstr("a value of unknown type 99"));
  EXPECT_THAT(refused(file_of({pair("b", ValueType::boolean, "\x02")}, {}, 0)), HasSubstr("neither 0 nor 1"));
  EXPECT_THAT(
      refused(file_of({pair("b", ValueType::array, array(ValueType::boolean, 2, std::string("\x01\x02")))}, {}, 0)),
      HasSubstr("neither 0 nor 1"));
}

TEST(GgufHostile, NamesAreThereOnceAndNotEmpty) {
  EXPECT_THAT(refused(file_of({kOne, kOne}, {}, 0)), HasSubstr("the key 'one' a second time"));
  EXPECT_THAT(refused(file_of({pair("", ValueType::u8, "x")}, {}, 0)), HasSubstr("a name of 0 bytes"));
  EXPECT_THAT(refused(file_of({pair(std::string(65'536, 'k'), ValueType::u8, "x")}, {}, 0)), HasSubstr("1 to 65535"));
  EXPECT_THAT(refused(file_of({}, {tensor(std::string(65, 't'), {1}, kF32, 0)}, 32)), HasSubstr("1 to 64"));
  EXPECT_THAT(refused(file_of({}, {tensor("t", {1}, kF32, 0), tensor("t", {1}, kF32, 32)}, 64)),
              HasSubstr("tensor 't' is there twice"));
}

TEST(GgufHostile, TensorsLieInsideTheFileAndApart) {
  const auto refused_tensors = [](const std::vector<std::string>& tensors, std::size_t data_bytes) {
    return refused(file_of({}, tensors, data_bytes));
  };
  EXPECT_NO_THROW(parse(file_of({}, {tensor("a", {8}, kF32, 32), tensor("b", {8}, kF32, 0)}, 64)));
  EXPECT_THAT(refused_tensors({tensor("a", {8}, kF32, 0)}, 31), HasSubstr("tensor 'a' is not inside the file"));
  EXPECT_THAT(refused_tensors({tensor("a", {8}, kF32, 64)}, 32), HasSubstr("tensor 'a' is not inside the file"));
  EXPECT_THAT(refused_tensors({tensor("a", {8}, kF32, ~std::uint64_t{31})}, 32), HasSubstr("is not inside the file"));
  EXPECT_THAT(refused_tensors({tensor("a", {9}, kF32, 0), tensor("b", {8}, kF32, 32)}, 64),
              HasSubstr("tensor 'b' overlaps another"));
  EXPECT_THAT(refused_tensors({tensor("a", {8}, kF32, 0), tensor("b", {8}, kF32, 0)}, 64),
              HasSubstr("overlaps another"));
  EXPECT_THAT(refused_tensors({tensor("a", {1}, kF32, 4)}, 64), HasSubstr("tensor 'a' is not aligned to 32 bytes"));
  EXPECT_NO_THROW(parse(file_of({}, {tensor("none", {0, 5}, kF32, 0), tensor("a", {8}, kF32, 0)}, 32)));
}

TEST(GgufHostile, ShapesTakeBytesThatCanBeCounted) {
  const auto refused_shape = [](const std::vector<std::uint64_t>& dimensions, std::uint32_t type) {
    return refused(file_of({}, {tensor("a", dimensions, type, 0)}, 64));
  };
  EXPECT_THAT(refused_shape({1, 1, 1, 1, 1}, kF32), HasSubstr("a tensor of 5 dimensions"));
  EXPECT_THAT(refused_shape({~std::uint64_t{0}}, kF32), HasSubstr("a dimension of 18446744073709551615"));
  EXPECT_THAT(refused_shape({std::uint64_t{1} << 32U, std::uint64_t{1} << 32U}, kF32), HasSubstr("too many elements"));
  EXPECT_THAT(refused_shape({std::uint64_t{1} << 62U}, kF32), HasSubstr("too many elements"));
  EXPECT_THAT(refused_shape({33}, kQ8), HasSubstr("no whole blocks of Q8_0"));
  EXPECT_THAT(refused_shape({16, 2}, kQ8), HasSubstr("no whole blocks of Q8_0"));
}

TEST(GgufHostile, TypesThatAreNotKnownAreListedByNumber) {
  const std::string file = file_of({}, {tensor("a", {8}, 77, 0), tensor("b", {8}, kF32, 32)}, 64);
  const TensorTable tensors = parse(file).tensors;
  EXPECT_EQ(tensors.at("a").type, "type 77");
  EXPECT_EQ(tensors.at("a").encoding, std::nullopt);
  EXPECT_EQ(as_text(tensors.at("b").bytes).substr(0, 2), " !");
}

TEST(GgufHostile, AlignmentIsAPowerOfTwo) {
  const auto with_alignment = [](std::uint32_t alignment, std::uint64_t offset) {
    return file_of({pair("general.alignment", ValueType::u32, bytes_of(alignment))}, {tensor("a", {2}, kF32, offset)},
                   64);
  };
  EXPECT_NO_THROW(parse(with_alignment(8, 8)));
  EXPECT_THAT(refused(with_alignment(64, 32)), HasSubstr("is not aligned to 64 bytes"));
  EXPECT_THAT(refused(with_alignment(1U << 31U, 0)), HasSubstr("is not inside the file"));
  for (const std::uint32_t alignment : {0U, 1U, 4U, 24U, 33U}) {
    EXPECT_THAT(refused(with_alignment(alignment, 0)), HasSubstr("no power of two from 8 on"));
  }
  EXPECT_THAT(refused(file_of({pair("general.alignment", ValueType::string, text("32"))}, {}, 0)),
              HasSubstr("GGUF key 'general.alignment' is of type string"));
}

TEST(GgufHostile, PartsOfASplitModelAreRefused) {
  const auto split = [](std::uint16_t count) {
    return file_of({pair("split.count", ValueType::u16, bytes_of(count))}, {}, 0);
  };
  EXPECT_THAT(refused(split(3)), HasSubstr("one of 3 files that a model was split into ('split.count')"));
  EXPECT_NO_THROW(parse(split(0)));  // what merging them writes
  EXPECT_NO_THROW(parse(split(1)));
}

}  // namespace
}  // namespace chainrule::io::tensors::gguf

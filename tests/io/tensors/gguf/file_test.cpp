// GGUF files: what the real library wrote is read; values have types, and getters name the key that lacks one.
#include "io/tensors/gguf/file.h"

#include "tests/io/tensors/gguf/gguf_case.h"

namespace chainrule::io::tensors::gguf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

GgufFile real() { return GgufFile::open(std::filesystem::path(CHAINRULE_GGUF_DATA) / "real.gguf"); }

Metadata metadata_of(const std::vector<std::string>& pairs) {
  static std::vector<std::string> kept;  // what values are views of
  kept.push_back(file_of(pairs, {}, 0));
  return parse_file(as_span(kept.back()), "'x'").metadata;
}

TEST(GgufFileTest, ValuesThatTheLibraryWroteAreRead) {
  const GgufFile file = real();
  const Metadata& metadata = file.metadata();
  EXPECT_EQ(metadata.text("general.architecture"), "llama");
  EXPECT_EQ(metadata.whole_number("llama.block_count"), 2);
  EXPECT_EQ(metadata.number("llama.rope.freq_base"), 10000.5);
  EXPECT_TRUE(metadata.boolean("tokenizer.ggml.add_bos_token"));
  EXPECT_THAT(metadata.texts("tokenizer.ggml.tokens"), ElementsAre("a", "b\u00fc", "", "\u0120the"));
  EXPECT_THAT(metadata.whole_numbers("tokenizer.ggml.token_type"), ElementsAre(1, 3, 1, 1));
  EXPECT_THAT(metadata.numbers("tokenizer.ggml.scores"), ElementsAre(0.5, -1, 2, 0));
  EXPECT_EQ(metadata.whole_number("test.i64"), -7);
  EXPECT_EQ(metadata.whole_number("test.i8"), -3);
  EXPECT_EQ(metadata.number("test.f64"), 0.1);
  EXPECT_EQ(metadata.value("test.none").element_type, ValueType::boolean);
  EXPECT_EQ(metadata.value("test.none").count, 1U);
  EXPECT_FALSE(metadata.contains("llama.context_length"));
}

TEST(GgufFileTest, TensorsThatTheLibraryWroteAreRead) {
  const GgufFile file = real();
  EXPECT_THAT(file.names(), ElementsAre("bf16", "f16", "f32", "q4_0", "q4_1", "q6_k", "q8_0"));
  const StoredTensor matrix = file.tensor("f32");
  EXPECT_THAT(matrix.shape, ElementsAre(3, 5));
  EXPECT_FLOAT_EQ(floats_of(matrix.bytes)[0], -1.0F);
  EXPECT_FLOAT_EQ(floats_of(matrix.bytes)[6], -1.0F + 65 * 2 / 191.0F);
  EXPECT_THAT(file.tensor("f16").shape, ElementsAre(3));
  for (const auto& [name, encoding] : {std::pair{"q8_0", Encoding::q8_0}, std::pair{"q4_0", Encoding::q4_0},
                                       std::pair{"q4_1", Encoding::q4_1}, std::pair{"bf16", Encoding::bf16}}) {
    const StoredTensor tensor = file.tensor(name);
    EXPECT_EQ(tensor.encoding, encoding);
    EXPECT_THAT(tensor.shape, ElementsAre(3, 64));
    EXPECT_EQ(static_cast<std::int64_t>(tensor.bytes.size()), tensor_bytes(block_size(encoding), tensor.shape));
  }
  EXPECT_EQ(as_text(file.tensor("q4_1").bytes.subspan(2, 2)), std::string("\x00\xbc", 2));  // m of the first is -1
  EXPECT_EQ(file.type_name("q6_k"), "Q6_K");
  EXPECT_THAT(refusal([&] { static_cast<void>(file.tensor("q6_k")); }),
              HasSubstr("real.gguf': tensor 'q6_k' is of type 'Q6_K', which is not read"));
}

TEST(GgufFileTest, GettersNameTheKeyAndWhatItIs) {
  const Metadata metadata = metadata_of({pair("n", ValueType::u64, bytes_of(std::uint64_t{1} << 63U)),
                                         pair("f", ValueType::f32, bytes_of(1.5F)),
                                         pair("s", ValueType::string, text("x")), pair("b", ValueType::boolean, "\x01"),
                                         pair("a", ValueType::array, array(ValueType::f32, 1, bytes_of(1.0F)))});
  const auto refused = [&](const auto& get) { return refusal([&] { static_cast<void>(get()); }); };
  EXPECT_THAT(refused([&] { return metadata.whole_number("n"); }),
              HasSubstr("'x': GGUF key 'n' is 9223372036854775808"));
  EXPECT_THAT(refused([&] { return metadata.whole_number("none"); }), HasSubstr("GGUF key 'none' is not there"));
  EXPECT_THAT(refused([&] { return metadata.whole_number("f"); }), HasSubstr("'f' is of type f32, not a whole number"));
  EXPECT_THAT(refused([&] { return metadata.whole_number("a"); }), HasSubstr("'a' is of type array, not a whole"));
  EXPECT_THAT(refused([&] { return metadata.number("n"); }), HasSubstr("'n' is of type u64, not f32 or f64"));
  EXPECT_THAT(refused([&] { return metadata.boolean("n"); }), HasSubstr("not a bool"));
  EXPECT_THAT(refused([&] { return metadata.text("b"); }), HasSubstr("'b' is of type bool, not a string"));
  EXPECT_THAT(refused([&] { return metadata.texts("s"); }), HasSubstr("'s' is of type string, not an array"));
  EXPECT_THAT(refused([&] { return metadata.texts("a"); }), HasSubstr("is an array of f32, not of strings"));
  EXPECT_THAT(refused([&] { return metadata.whole_numbers("a"); }), HasSubstr("'a' is of type f32"));
  EXPECT_THAT(refused([&] { return metadata.numbers("s"); }), HasSubstr("not an array"));
}

TEST(GgufFileTest, EveryIntegerTypeIsAWholeNumber) {
  const Metadata metadata = metadata_of(
      {pair("u8", ValueType::u8, "\xff"), pair("i8", ValueType::i8, "\xff"), pair("u16", ValueType::u16, "\xff\xff"),
       pair("i16", ValueType::i16, "\xff\xff"), pair("u32", ValueType::u32, "\xff\xff\xff\xff"),
       pair("i32", ValueType::i32, "\xff\xff\xff\xff"), pair("u64", ValueType::u64, bytes_of(std::uint64_t{INT64_MAX})),
       pair("i64", ValueType::i64, bytes_of(std::int64_t{-1}))});
  EXPECT_EQ(metadata.whole_number("u8"), 255);
  EXPECT_EQ(metadata.whole_number("i8"), -1);
  EXPECT_EQ(metadata.whole_number("u16"), 65'535);
  EXPECT_EQ(metadata.whole_number("i16"), -1);
  EXPECT_EQ(metadata.whole_number("u32"), 4'294'967'295);
  EXPECT_EQ(metadata.whole_number("i32"), -1);
  EXPECT_EQ(metadata.whole_number("u64"), INT64_MAX);
  EXPECT_EQ(metadata.whole_number("i64"), -1);
}

}  // namespace
}  // namespace chainrule::io::tensors::gguf

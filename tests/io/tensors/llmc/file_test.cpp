// llm.c models: what is written is read, in llm.c's own order; headers that no file can follow are refused.
#include "io/tensors/llmc/file.h"

#include <array>

#include "io/tensors/bfloat16.h"
#include "tests/io/tensors/file_case.h"

namespace chainrule::io::tensors::llmc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Fields = std::array<std::int32_t, 256>;

/// Two layers of width 4, a vocabulary of 130.
constexpr Header kHeader = {
    .context = 3, .vocabulary = 130, .layers = 2, .heads = 2, .width = 4, .padded_vocabulary = 256};

Fields fields_of(std::initializer_list<std::int32_t> first) {
  Fields fields{};
  std::copy(first.begin(), first.end(), fields.begin());
  return fields;
}

std::string file_of(const Fields& fields, std::size_t data_bytes) {
  return std::string(reinterpret_cast<const char*>(fields.data()), sizeof fields) + std::string(data_bytes, '\0');
}

std::string refused(const Fields& fields, std::size_t data_bytes = 0) {
  const std::string file = file_of(fields, data_bytes);
  return refusal([&] { parse_header(as_span(file), "'x'"); });
}

MadeTensors made(const Header& header) {
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (const Tensor& tensor : tensors_of(header)) shapes[tensor.name] = tensor.shape;
  shapes["wte"] = {header.vocabulary, header.width};
  return MadeTensors::of_shapes(shapes);
}

class LlmcFileTest : public FileCase {};

TEST_F(LlmcFileTest, WhatIsWrittenIsRead) {
  const MadeTensors tensors = made(kHeader);
  write(folder_ / "model.bin", kHeader, tensors);
  const LlmcFile file = LlmcFile::open(folder_ / "model.bin");
  EXPECT_EQ(file.header(), kHeader);
  EXPECT_EQ(file.names(), tensors.names());
  EXPECT_THAT(file.tensor("wte").shape, ElementsAre(130, 4));
  EXPECT_THAT(file.tensor("h.1.qkvw").shape, ElementsAre(12, 4));
  EXPECT_THAT(file.tensor("h.0.fcprojw").shape, ElementsAre(4, 16));
  EXPECT_THAT(file.tensor("h.0.fcb").shape, ElementsAre(16));
  for (const std::string& name : tensors.names()) {
    EXPECT_EQ(file.tensor(name).shape, tensors.shape(name));
    EXPECT_EQ(floats_of(file.tensor(name).bytes), tensors.values(name)) << name;
  }
}

/// Where llm.c's program (gpt2_build_from_checkpoint and write_tensors) has them.
TEST_F(LlmcFileTest, TensorsLieInTheOrderOfLlmC) {
  const MadeTensors tensors = made(kHeader);
  write(folder_ / "model.bin", kHeader, tensors);
  const std::string bytes = files::read_file(folder_ / "model.bin");
  const auto* header = reinterpret_cast<const std::int32_t*>(bytes.data());
  EXPECT_THAT(std::span(header, 9), ElementsAre(20240326, 3, 3, 130, 2, 2, 4, 256, 0));
  std::vector<float> expected = tensors.values("wte");
  expected.resize(256 * 4);
  for (const char* name :
       {"wpe",         "h.0.ln1w",    "h.1.ln1w",     "h.0.ln1b",     "h.1.ln1b",     "h.0.qkvw",     "h.1.qkvw",
        "h.0.qkvb",    "h.1.qkvb",    "h.0.attprojw", "h.1.attprojw", "h.0.attprojb", "h.1.attprojb", "h.0.ln2w",
        "h.1.ln2w",    "h.0.ln2b",    "h.1.ln2b",     "h.0.fcw",      "h.1.fcw",      "h.0.fcb",      "h.1.fcb",
        "h.0.fcprojw", "h.1.fcprojw", "h.0.fcprojb",  "h.1.fcprojb",  "lnfw",         "lnfb"}) {
    const std::vector<float>& values = tensors.values(name);
    expected.insert(expected.end(), values.begin(), values.end());
  }
  EXPECT_EQ(floats_of(as_span(bytes).subspan(kHeaderBytes)), expected);
}

TEST_F(LlmcFileTest, Bf16HasAVersionOfItsOwn) {
  Header header = kHeader;
  header.encoding = Encoding::bf16;
  const MadeTensors tensors = made(header);
  write(folder_ / "model.bin", header, tensors);
  const LlmcFile file = LlmcFile::open(folder_ / "model.bin");
  EXPECT_EQ(file.header().encoding, Encoding::bf16);
  EXPECT_EQ(as_text(file.tensor("lnfb").bytes.first(2)), bytes_of(nearest_bfloat16(tensors.values("lnfb")[0])));
  EXPECT_EQ(as_text(file.tensor("h.1.fcprojb").bytes.subspan(6)),
            bytes_of(nearest_bfloat16(tensors.values("h.1.fcprojb")[3])));
  EXPECT_EQ(std::filesystem::file_size(folder_ / "model.bin"),
            1024U + 2 * (256 * 4 + 3 * 4 + 2 * (4 * 9 + 12 * 16 + 16) + 8));
}

TEST_F(LlmcFileTest, TensorsOfOtherShapesAreNotWritten) {
  Header wider = kHeader;
  wider.width = 6;
  EXPECT_THAT(refusal([&] { write(folder_ / "model.bin", wider, made(kHeader)); }),
              HasSubstr("tensor 'wte' has another shape"));
  Header large = kHeader;
  large.vocabulary = INT32_MAX;
  EXPECT_THAT(refusal([&] { write(folder_ / "model.bin", large, made(kHeader)); }), HasSubstr("cannot be padded"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(LlmcFileTest, HeadersThatNoModelHasAreRefused) {
  constexpr std::int32_t kMagic = 20240326;
  EXPECT_THAT(refusal([&] { parse_header(as_span(std::string(1023, '\0')), "'x'"); }),
              HasSubstr("ends within its header"));
  EXPECT_THAT(refused(fields_of({20240520, 1, 5})),
              HasSubstr("'x' is no llm.c model that is read: it begins with 20240520"));
  EXPECT_THAT(refused(fields_of({kMagic, 2, 3, 130, 2, 2, 4, 256})), HasSubstr("version 2, where 3 and 5 are read"));
  EXPECT_THAT(refused(fields_of({kMagic, 3, 0, 130, 2, 2, 4, 256})), HasSubstr("a size of 0"));
  EXPECT_THAT(refused(fields_of({kMagic, 3, 3, -1, 2, 2, 4, 256})), HasSubstr("a size of -1"));
  EXPECT_THAT(refused(fields_of({kMagic, 3, 3, 130, 2, 0, 4, 256})), HasSubstr("a size of 0"));
  EXPECT_THAT(refused(fields_of({kMagic, 3, 3, 130, 2, 3, 4, 256})), HasSubstr("a width of 4 for 3 heads"));
  EXPECT_THAT(refused(fields_of({kMagic, 3, 3, 130, 2, 2, 4, 129})), HasSubstr("a vocabulary of 130 padded to 129"));
  EXPECT_THAT(refused(fields_of({kMagic, 3, 3, 130, 16'385, 2, 4, 256})), HasSubstr("16385 layers; at most 16384"));
  EXPECT_THAT(refused(fields_of({kMagic, 3, 3, 130, 2, 2, 4, 256, 1})), HasSubstr("field 8 of its header is 1"));
  EXPECT_THAT(refused(fields_of({kMagic, 3, 1, 1, 16'384, 1, INT32_MAX, 1})), HasSubstr("take other than the 0 bytes"));
  EXPECT_THAT(refused(fields_of({kMagic, 5, INT32_MAX, INT32_MAX, 16'384, 1, INT32_MAX, INT32_MAX})),
              HasSubstr("take other than the 0 bytes"));
}

TEST_F(LlmcFileTest, AFileIsAsLongAsItsTensors) {
  write(folder_ / "model.bin", kHeader, made(kHeader));
  const std::string bytes = files::read_file(folder_ / "model.bin");
  const auto refused_bytes = [](const std::string& file) {
    return refusal([&] { parse_header(as_span(file), "'x'"); });
  };
  EXPECT_THAT(refused_bytes(bytes + "x"), HasSubstr("its tensors take other than"));
  EXPECT_THAT(refused_bytes(bytes.substr(0, bytes.size() - 1)), HasSubstr("its tensors take other than"));
  put("short.bin", bytes.substr(0, 5000));
  EXPECT_THAT(refusal([&] { LlmcFile::open(folder_ / "short.bin"); }), HasSubstr("short.bin' is no llm.c model"));
}

}  // namespace
}  // namespace chainrule::io::tensors::llmc

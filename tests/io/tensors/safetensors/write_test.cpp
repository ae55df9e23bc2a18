// What is written is what was given, rounded where bf16 is asked for, in as many files as the limit makes of it.
#include "io/tensors/safetensors/write.h"

#include <nlohmann/json.hpp>

#include "io/tensors/bfloat16.h"
#include "io/tensors/safetensors/open.h"
#include "tests/io/tensors/safetensors/safetensors_case.h"

namespace chainrule::io::tensors::safetensors {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Write : public FileCase {
 protected:
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& each : std::filesystem::directory_iterator(folder_)) names.push_back(each.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
};

TEST_F(Write, TheSameValuesComeBack) {
  const MadeTensors made =
      MadeTensors::of_shapes({{"a", {3, 5}}, {"b", {7}}, {"large", {1100, 1000}}, {"none", {0, 4}}});
  write(folder_, made, {});
  EXPECT_THAT(files(), ElementsAre("model.safetensors"));
  const MappedTensors tensors = open(folder_);
  EXPECT_EQ(tensors.names(), made.names());
  for (const std::string& name : made.names()) {
    EXPECT_EQ(tensors.tensor(name).encoding, Encoding::f32);
    EXPECT_EQ(tensors.tensor(name).shape, made.shape(name));
    EXPECT_EQ(floats_of(tensors.tensor(name).bytes), made.values(name)) << name;
  }
}

TEST_F(Write, TheFileIsToTheByteWhatTheFormatSays) {
  write(folder_, MadeTensors({{"w", {{1, 2}, {1.0F, -2.0F}}}}), {});
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}})";
  EXPECT_EQ(
      files::read_file(folder_ / "model.safetensors"),
      bytes_of(std::uint64_t{88}) + header + std::string(88 - header.size(), ' ') + bytes_of(1.0F) + bytes_of(-2.0F));
}

TEST_F(Write, Bf16IsRounded) {
  const float odd = std::bit_cast<float>(0x3F818000U);
  write(folder_, MadeTensors({{"w", {{3}, {1.0F, odd, -1e-3F}}}}), {.encoding = Encoding::bf16});
  const MappedTensors tensors = open(folder_);
  EXPECT_EQ(tensors.type_name("w"), "BF16");
  EXPECT_EQ(as_text(tensors.tensor("w").bytes),
            bytes_of(nearest_bfloat16(1.0F)) + bytes_of(std::uint16_t{0x3F82}) + bytes_of(nearest_bfloat16(-1e-3F)));
  EXPECT_THROW(write(folder_ / "other", MadeTensors({{"w", {{1}, {1.0F}}}}), {.encoding = Encoding::q8_0}),
               std::exception);
}

TEST_F(Write, FilesEndBeforeTheLimit) {
  const MadeTensors made = MadeTensors::of_shapes({{"a", {10}}, {"b", {10}}, {"c", {5}}, {"d", {90}}, {"e", {1}}});
  write(folder_, made, {.most_file_bytes = 100});
  EXPECT_THAT(files(), ElementsAre("model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors",
                                   "model-00003-of-00003.safetensors", "model.safetensors.index.json"));
  const auto index = nlohmann::json::parse(files::read_file(folder_ / kIndexName));
  EXPECT_EQ(index["metadata"]["total_size"], 464);
  EXPECT_EQ(index["weight_map"]["c"], "model-00001-of-00003.safetensors");
  EXPECT_EQ(index["weight_map"]["d"], "model-00002-of-00003.safetensors");
  EXPECT_EQ(index["weight_map"]["e"], "model-00003-of-00003.safetensors");
  const MappedTensors tensors = open(folder_);
  EXPECT_EQ(tensors.names(), made.names());
  for (const std::string& name : made.names()) EXPECT_EQ(floats_of(tensors.tensor(name).bytes), made.values(name));
}

TEST_F(Write, NothingIsReplaced) {
  put("model.safetensors", "mine");
  try {
    write(folder_, MadeTensors::of_shapes({{"a", {1}}}), {});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::cannot_create);
  }
  EXPECT_EQ(files::read_file(folder_ / "model.safetensors"), "mine");
}

}  // namespace
}  // namespace chainrule::io::tensors::safetensors

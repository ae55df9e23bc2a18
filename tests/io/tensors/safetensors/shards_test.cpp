// A model in several files: each tensor lies where the index says, and nowhere else.
#include "io/tensors/safetensors/index.h"
#include "io/tensors/safetensors/open.h"
#include "tests/io/tensors/safetensors/safetensors_case.h"

namespace chainrule::io::tensors::safetensors {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Shards : public FileCase {
 protected:
  void SetUp() override {
    FileCase::SetUp();
    put("one.safetensors",
        file_of("{" + entry("a", "U8", "[1]", 0, 1) + "," + entry("b", "F32", "[1]", 1, 5) + "}", 5));
    put("two.safetensors", file_of("{" + entry("c", "BF16", "[2]", 0, 4) + "}", 4));
  }

  void index(std::string_view map) const {
    put(kIndexName, R"({"metadata":{"total_size":9,"more":[1,{"x":null}]},"weight_map":)" + std::string(map) + "}");
  }
  std::string refused() const {
    return refusal([&] { open(folder_); });
  }
};

TEST_F(Shards, TensorsOfAllFilesAreThere) {
  index(R"({"a":"one.safetensors","b":"one.safetensors","c":"two.safetensors"})");
  for (const auto& path : {folder_, folder_ / kIndexName}) {
    const MappedTensors tensors = open(path);
    EXPECT_THAT(tensors.names(), ElementsAre("a", "b", "c"));
    EXPECT_EQ(as_text(tensors.tensor("b").bytes), "\x01\x02\x03\x04");
    EXPECT_EQ(as_text(tensors.tensor("c").bytes), std::string("\x00\x01\x02\x03", 4));
    EXPECT_EQ(tensors.type_name("a"), "U8");
  }
}

TEST_F(Shards, OneFileGoesBeforeAnIndexAsInTransformers) {
  index("{}");
  put(kFileName, file_of("{" + entry("only", "U8", "[1]", 0, 1) + "}", 1));
  EXPECT_THAT(open(folder_).names(), ElementsAre("only"));
}

TEST_F(Shards, ATensorLiesWhereTheIndexSays) {
  index(R"({"a":"one.safetensors","c":"two.safetensors"})");
  EXPECT_THAT(refused(), HasSubstr("one.safetensors' holds tensor 'b', which the index does not name"));
  index(R"({"a":"one.safetensors","b":"two.safetensors","c":"two.safetensors"})");
  EXPECT_THAT(refused(), HasSubstr("holds tensor 'b', which the index places in 'two.safetensors'"));
  index(R"({"a":"one.safetensors","b":"one.safetensors","c":"two.safetensors","d":"two.safetensors"})");
  EXPECT_THAT(refused(), HasSubstr("places tensor 'd' in 'two.safetensors', which does not hold it"));
}

TEST_F(Shards, AFileThatIsNotThereIsMissing) {
  index(R"({"a":"one.safetensors","b":"one.safetensors","c":"three.safetensors"})");
  try {
    open(folder_);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::missing_input);
    EXPECT_THAT(error.what(), HasSubstr("three.safetensors"));
  }
  std::filesystem::remove(folder_ / kIndexName);
  EXPECT_THROW(open(folder_), Error);
}

TEST_F(Shards, FilesArePlainNamesBesideTheIndex) {
  for (const char* name : {"../one.safetensors", "/etc/passwd", "a/b", "", ".hidden", "..", "nul\\u0000"}) {
    index(R"({"a":")" + std::string(name) + "\"}");
    EXPECT_THAT(refused(), HasSubstr("which is no file beside the index")) << name;
  }
  index("{\"a\":\"" + std::string(300, 'x') + "\"}");
  EXPECT_THAT(refused(), HasSubstr("which is no file beside the index"));
}

TEST_F(Shards, OnlyAnIndexIsTaken) {
  const auto refused_text = [](std::string_view text) { return refusal([&] { parse_index(text, "'x'"); }); };
  EXPECT_THAT(refused_text("{}"), HasSubstr("has no 'weight_map'"));
  EXPECT_THAT(refused_text("[]"), HasSubstr("'x' is not the index"));
  EXPECT_THAT(refused_text("7"), HasSubstr("'x' is not the index"));
  EXPECT_THAT(refused_text("{\"weight_map\":"), HasSubstr("malformed"));
  EXPECT_THAT(refused_text(std::string("{\"weight_map\":{}}\0", 18)), HasSubstr("malformed"));
  EXPECT_THAT(refused_text(R"({"weight_map":"a"})"), HasSubstr("is no object of names of files"));
  EXPECT_THAT(refused_text(R"({"weight_map":{"a":1}})"), HasSubstr("is no object of names of files"));
  EXPECT_THAT(refused_text(R"({"weight_map":{"a":{"b":"c"}}})"), HasSubstr("is no object of names of files"));
  EXPECT_THAT(refused_text(R"({"weight_map":["a"]})"), HasSubstr("is no object of names of files"));
  EXPECT_THAT(refused_text(R"({"weight_map":{"a":"x","a":"x"}})"), HasSubstr("names tensor 'a' twice"));
  EXPECT_THAT(refused_text(R"({"weight_map":{},"weight_map":{}})"), HasSubstr("has 'weight_map' twice"));
  EXPECT_THAT(refused_text(R"({"weight_map":{},"other":{}})"), HasSubstr("'other' is not known"));
  EXPECT_THAT(refused_text("{\"metadata\":" + std::string(200, '[') + std::string(200, ']') + "}"),
              HasSubstr("nested deeper"));
  EXPECT_TRUE(parse_index(R"({"metadata":[{"weight_map":{"a":7}}],"weight_map":{}})", "'x'").empty());
}

TEST_F(Shards, AnIndexBeyondItsBoundIsNotRead) {
  index("{}");
  std::filesystem::resize_file(folder_ / kIndexName, 100'000'001);
  EXPECT_THAT(refused(), HasSubstr("at most 100000000 are read"));
}

}  // namespace
}  // namespace chainrule::io::tensors::safetensors

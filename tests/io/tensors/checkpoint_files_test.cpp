// The files of a checkpoint: what is written is read back, and damage of any kind is found and named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <numeric>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/tensors/manifest.h"
#include "io/tensors/model_file.h"
#include "io/tensors/optimizer_file.h"

namespace chainrule::io::tensors {
namespace {

class CheckpointFiles : public testing::Test {
 protected:
  void SetUp() override {
    const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ = std::filesystem::temp_directory_path() / ("chainrule-" + name + "-" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static std::vector<float> counted(std::size_t count, float first) {
    std::vector<float> values(count);
    std::iota(values.begin(), values.end(), first);
    return values;
  }

  void flip_bit(const std::string& name, std::streamoff at) const {
    std::fstream file(folder_ / name, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const auto byte = static_cast<char>(file.get());
    file.seekp(at);
    file.put(static_cast<char>(byte ^ 1));
  }

  template <class Work>
  std::string failure(const Work& work) const {
    try {
      work();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::bad_data);
      return error.what();
    }
    return "no failure";
  }

  std::filesystem::path folder_;
};

TEST_F(CheckpointFiles, ModelFileGivesBackTensorsAndSlabs) {
  const auto matrix = counted(12, 0.5F);
  const auto vector = counted(5, -2.0F);
  const std::vector<NamedTensor> tensors = {{"layers.0.weight", {4, 3}, matrix}, {"bias", {5}, vector}};
  write_model_file(folder_ / "model.h5", tensors);
  const ModelFile file(folder_ / "model.h5");
  const TensorSource& source = file;
  EXPECT_THAT(source.names(), testing::ElementsAre("bias", "layers.0.weight"));
  EXPECT_THAT(source.shape("layers.0.weight"), testing::ElementsAre(4, 3));
  std::vector<float> rows(6);
  source.read("layers.0.weight", 1, rows);
  EXPECT_THAT(rows, testing::ElementsAre(3.5F, 4.5F, 5.5F, 6.5F, 7.5F, 8.5F));
  std::vector<float> whole(5);
  source.read("bias", 0, whole);
  EXPECT_EQ(whole, vector);
  EXPECT_THAT(failure([&] { static_cast<void>(source.shape("other")); }), testing::HasSubstr("'other'"));
}

TEST_F(CheckpointFiles, OptimizerFileIsReadByAnyDivision) {
  const auto first = counted(30, 0.0F);
  const auto second = counted(30, 100.0F);
  const std::vector<ElementRange> ranges = {{10, 20}, {40, 60}};
  write_optimizer_file(folder_ / "optimizer-00000.h5", ranges, first, second);
  const OptimizerFile file(folder_ / "optimizer-00000.h5");
  EXPECT_EQ(file.ranges(), ranges);
  std::vector<float> m(35, -1.0F);
  std::vector<float> v(35, -1.0F);
  EXPECT_EQ(file.read(15, m, v), 15U);  // elements 15-20 and 40-50 of [15, 50)
  EXPECT_EQ(m[0], 5.0F);
  EXPECT_EQ(v[4], 109.0F);
  EXPECT_EQ(m[5], -1.0F);
  EXPECT_EQ(m[24], -1.0F);
  EXPECT_EQ(m[25], 10.0F);
  EXPECT_EQ(v[34], 119.0F);
}

TEST_F(CheckpointFiles, OptimizerFileOfAWriterWithoutBlocksIsEmpty) {
  write_optimizer_file(folder_ / "optimizer-00001.h5", {}, {}, {});
  const OptimizerFile file(folder_ / "optimizer-00001.h5");
  EXPECT_TRUE(file.ranges().empty());
  std::vector<float> none(3);
  EXPECT_EQ(file.read(0, none, none), 0U);
}

TEST_F(CheckpointFiles, ManifestVouchesForWholeFiles) {
  files::write_file_atomically(folder_ / "a.json", "{\"a\": 1}");
  files::write_file_atomically(folder_ / "b.json", std::string(5000, 'b'));
  Manifest(folder_, {describe_file(folder_ / "a.json"), describe_file(folder_ / "b.json")}).write();
  const Manifest manifest = Manifest::read(folder_);
  EXPECT_NO_THROW(manifest.verify("a.json"));
  EXPECT_NO_THROW(manifest.verify("b.json"));
  EXPECT_THAT(failure([&] { manifest.verify("c.json"); }), testing::HasSubstr("does not name 'c.json'"));
  flip_bit("b.json", 3000);
  EXPECT_NO_THROW(manifest.verify("a.json"));
  EXPECT_THAT(failure([&] { manifest.verify("b.json"); }), testing::HasSubstr("b.json' is damaged"));
}

TEST_F(CheckpointFiles, ManifestRefusesWhatIsShortGoneOrUnreadable) {
  EXPECT_THAT(failure([&] { Manifest::read(folder_); }), testing::HasSubstr("has no manifest.json"));
  files::write_file_atomically(folder_ / "a.json", "{\"a\": 1}");
  Manifest(folder_, {describe_file(folder_ / "a.json")}).write();
  std::filesystem::resize_file(folder_ / "a.json", 4);
  EXPECT_THAT(failure([&] { Manifest::read(folder_); }), testing::HasSubstr("has 4 bytes"));
  std::filesystem::remove(folder_ / "a.json");
  EXPECT_THAT(failure([&] { Manifest::read(folder_); }), testing::HasSubstr("lacks 'a.json'"));
  files::write_file_atomically(folder_ / "manifest.json", "{\"format\": \"chainrule-checkpoint\"");
  EXPECT_THAT(failure([&] { Manifest::read(folder_); }), testing::HasSubstr("is damaged"));
  Manifest(folder_, {{"../elsewhere", 1, ""}}).write();
  EXPECT_THAT(failure([&] { Manifest::read(folder_); }), testing::HasSubstr("no file beside it"));
}

}  // namespace
}  // namespace chainrule::io::tensors

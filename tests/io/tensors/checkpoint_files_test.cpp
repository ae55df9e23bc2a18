// The files of a checkpoint: what is written is read back, and damage of any kind is found and named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
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

  static std::vector<OptimizerSlot> adamw_slots(std::span<const float> first, std::span<const float> second) {
    return {{"first_moment", first}, {"second_moment", second}};
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
  write_optimizer_file(folder_ / "optimizer-00000.h5", ranges, adamw_slots(first, second));
  const OptimizerFile file(folder_ / "optimizer-00000.h5");
  EXPECT_EQ(file.ranges(), ranges);
  std::vector<float> m(35, -1.0F);
  std::vector<float> v(35, -1.0F);
  EXPECT_EQ(file.read("first_moment", 15, m), 15U);  // elements 15-20 and 40-50 of [15, 50)
  EXPECT_EQ(file.read("second_moment", 15, v), 15U);
  EXPECT_EQ(m[0], 5.0F);
  EXPECT_EQ(v[4], 109.0F);
  EXPECT_EQ(m[5], -1.0F);
  EXPECT_EQ(m[24], -1.0F);
  EXPECT_EQ(m[25], 10.0F);
  EXPECT_EQ(v[34], 119.0F);
}

TEST_F(CheckpointFiles, OptimizerFileHoldsAnySlotsByName) {
  const auto momentum = counted(4, 1.0F);
  const std::vector<ElementRange> ranges = {{0, 4}};
  for (const std::size_t count : {0U, 1U, 3U}) {
    const std::vector<OptimizerSlot> slots = {{"momentum", momentum}, {"b", momentum}, {"a", momentum}};
    const auto path = folder_ / ("optimizer-" + std::to_string(count) + ".h5");
    write_optimizer_file(path, ranges, std::span(slots).first(count));
    EXPECT_EQ(OptimizerFile(path).slots().size(), count);
  }
  const OptimizerFile file(folder_ / "optimizer-3.h5");
  EXPECT_THAT(file.slots(), testing::ElementsAre("a", "b", "momentum"));
  std::vector<float> values(4);
  EXPECT_EQ(file.read("momentum", 0, values), 4U);
  EXPECT_EQ(values, momentum);
  EXPECT_THAT(failure([&] { file.read("first_moment", 0, values); }),
              testing::HasSubstr("optimizer-3.h5' has no optimizer state 'first_moment'"));
}

/// Writes the file as it was written before slots had names of their own, when there were only AdamW's moments.
void write_adamw_file(const std::filesystem::path& path, const std::vector<ElementRange>& ranges,
                      const std::vector<float>& first, const std::vector<float>& second) {
  hdf5::File file = hdf5::File::create(path);
  file.set_attribute("format", std::string("chainrule-optimizer"));
  file.set_attribute("format_version", std::uint64_t{1});
  std::vector<std::uint64_t> bounds;
  for (const ElementRange& range : ranges) bounds.insert(bounds.end(), {range.begin, range.end});
  file.create_dataset("ranges", hdf5::ElementType::u64, {ranges.size(), 2})
      .write(0, std::span<const std::uint64_t>(bounds));
  file.write_dataset("first_moment", std::span<const float>(first));
  file.write_dataset("second_moment", std::span<const float>(second));
  file.close();
}

TEST_F(CheckpointFiles, OptimizerFileOfBeforeIsReadAndStillWritten) {
  const auto first = counted(300'000, 0.25F);
  const auto second = counted(300'000, 7.0F);
  const std::vector<ElementRange> ranges = {{100, 200'000}, {300'000, 400'100}};
  write_adamw_file(folder_ / "before.h5", ranges, first, second);
  const OptimizerFile file(folder_ / "before.h5");
  EXPECT_THAT(file.slots(), testing::ElementsAre("first_moment", "second_moment"));
  EXPECT_EQ(file.ranges(), ranges);
  std::vector<float> values(199'900);
  EXPECT_EQ(file.read("second_moment", 100, values), values.size());
  EXPECT_TRUE(std::equal(values.begin(), values.end(), second.begin()));
  write_optimizer_file(folder_ / "now.h5", ranges, adamw_slots(first, second));
  EXPECT_EQ(files::read_file(folder_ / "now.h5"), files::read_file(folder_ / "before.h5"));
}

TEST_F(CheckpointFiles, OptimizerFileRefusesASlotOfAnotherSize) {
  write_adamw_file(folder_ / "short.h5", {{0, 10}}, counted(10, 0.0F), counted(9, 0.0F));
  EXPECT_THAT(failure([&] { OptimizerFile(folder_ / "short.h5"); }),
              testing::HasSubstr("holds other numbers of elements than its ranges name"));
}

TEST_F(CheckpointFiles, OptimizerFileOfAWriterWithoutBlocksIsEmpty) {
  write_optimizer_file(folder_ / "optimizer-00001.h5", {}, adamw_slots({}, {}));
  const OptimizerFile file(folder_ / "optimizer-00001.h5");
  EXPECT_TRUE(file.ranges().empty());
  std::vector<float> none(3);
  EXPECT_EQ(file.read("first_moment", 0, none), 0U);
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

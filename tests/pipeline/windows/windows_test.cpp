#include "pipeline/windows/windows.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "io/tokens/data_set.h"
#include "model/ops/batch.h"
#include "pipeline/windows/batch_buffer.h"
#include "tests/support/made_data_set.h"

namespace chainrule::pipeline::windows {
namespace {

constexpr std::uint32_t kEnd = 99;

/// The stream 0 1 2 E 3 E E 4 5 6 7 E in three shards, one of them empty.
class WindowsTest : public testing::Test {
 protected:
  WindowsTest() {
    tests::MadeDataSet set;
    set.shards = {{{.tokens = {0, 1, 2}}, {.tokens = {3}}, {.tokens = {}}}, {}, {{.tokens = {4, 5, 6, 7}}}};
    tests::write_data_set(folder_, set);
  }
  ~WindowsTest() override { std::filesystem::remove_all(folder_); }

  /// Reads window k into inputs and targets, whose rows it fills up with end-of-text, not scored.
  static void read(const Windows& windows, std::uint64_t k, std::vector<std::uint32_t>& inputs,
                   std::vector<std::uint32_t>& targets) {
    BatchBuffer buffer;
    buffer.begin(static_cast<std::int64_t>(inputs.size()), kEnd);
    buffer.add(windows.stream(), windows.at(k), static_cast<std::int64_t>(inputs.size()));
    inputs.assign(buffer.batch().inputs.begin(), buffer.batch().inputs.end());
    targets.assign(buffer.batch().targets.begin(), buffer.batch().targets.end());
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("chainrule-windows-" + std::to_string(::getpid()));
};

TEST_F(WindowsTest, CrossDocumentsAndShardsAndStartAfterAVirtualEndOfText) {
  const io::tokens::DataSet data = io::tokens::DataSet::open(folder_);
  const Windows windows(data, 5);
  EXPECT_EQ(windows.token_count(), 12U);
  EXPECT_EQ(windows.whole_count(), 2U);
  EXPECT_EQ(windows.count(), 3U);
  std::vector<std::uint32_t> inputs(5);
  std::vector<std::uint32_t> targets(5);
  read(windows, 0, inputs, targets);
  EXPECT_EQ(inputs, (std::vector<std::uint32_t>{kEnd, 0, 1, 2, kEnd}));
  EXPECT_EQ(targets, (std::vector<std::uint32_t>{0, 1, 2, kEnd, 3}));
  read(windows, 1, inputs, targets);
  EXPECT_EQ(inputs, (std::vector<std::uint32_t>{3, kEnd, kEnd, 4, 5}));
  EXPECT_EQ(targets, (std::vector<std::uint32_t>{kEnd, kEnd, 4, 5, 6}));
  read(windows, 2, inputs, targets);
  EXPECT_EQ(inputs, (std::vector<std::uint32_t>{6, 7, kEnd, kEnd, kEnd}));
  EXPECT_EQ(targets, (std::vector<std::uint32_t>{7, kEnd, model::ops::kNotScored, model::ops::kNotScored,
                                                 model::ops::kNotScored}));
}

TEST_F(WindowsTest, StopAtTheTokenLimit) {
  const io::tokens::DataSet data = io::tokens::DataSet::open(folder_);
  const Windows windows(data, 4, 6);
  EXPECT_EQ(windows.token_count(), 6U);
  EXPECT_EQ(windows.count(), 2U);
  std::vector<std::uint32_t> inputs(4);
  std::vector<std::uint32_t> targets(4);
  read(windows, 1, inputs, targets);
  EXPECT_EQ(targets, (std::vector<std::uint32_t>{3, kEnd, model::ops::kNotScored, model::ops::kNotScored}));
  EXPECT_EQ(Windows(data, 4, 1000).token_count(), 12U);
}

}  // namespace
}  // namespace chainrule::pipeline::windows

// One lock for all of HDF5: those who do much at a time leave room for those who do little.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <numeric>
#include <thread>

#include "io/hdf5/file.h"

namespace chainrule::io::hdf5 {
namespace {

namespace fs = std::filesystem;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

class LockTest : public ::testing::Test {
 protected:
  LockTest() : folder_(fs::path(::testing::TempDir()) / ("hdf5-lock-" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
    File small = File::create(folder_ / "small.h5");
    small.write_dataset<std::uint32_t>("tokens", std::vector<std::uint32_t>(1000, 7));
    small.close();
  }
  ~LockTest() override { fs::remove_all(folder_); }

  /// The longest that a small read of another thread took beside work, as a part of the time that work took.
  template <class Work>
  double longest_read_beside(const Work& work) const {
    const File file = File::open(folder_ / "small.h5");
    const Dataset tokens = file.dataset("tokens");
    std::atomic<bool> over = false;
    std::atomic<bool> begun = false;
    double longest_seconds = 0;
    std::thread reader([&] {
      std::vector<std::uint32_t> window(100);
      while (!over) {
        const Clock::time_point start = Clock::now();
        tokens.read<std::uint32_t>(300, window);
        longest_seconds = std::max(longest_seconds, seconds_since(start));
        begun = true;
        begun.notify_one();
      }
    });
    begun.wait(false);
    const Clock::time_point start = Clock::now();
    work();
    const double seconds = seconds_since(start);
    over = true;
    reader.join();
    return longest_seconds / seconds;
  }

  static constexpr std::size_t kElements = std::size_t{24} << 20U;  // 96 MiB, two dozen pieces
  fs::path folder_;
};

TEST_F(LockTest, LongTransfersLetOthersInBetweenTheirPieces) {
  std::vector<float> values(kElements);
  std::iota(values.begin(), values.end(), 0.0F);
  File made = File::create(folder_ / "long.h5");
  {
    Dataset dataset = made.create_dataset("x", ElementType::f32, {kElements});
    EXPECT_LT(longest_read_beside([&] { dataset.write<float>(0, values); }), 0.5);
  }
  made.close();
  const File file = File::open(folder_ / "long.h5");
  const Dataset dataset = file.dataset("x");
  std::vector<float> back(kElements);
  EXPECT_LT(longest_read_beside([&] { dataset.read<float>(0, back); }), 0.5);
  EXPECT_EQ(back, values);
}

TEST_F(LockTest, BytesDoNotDependOnHowCallsAreCut) {
  std::vector<std::uint64_t> values((std::size_t{3} << 20U) + 777);
  std::iota(values.begin(), values.end(), 1U);
  const auto written = [&](const std::string& name, std::uint64_t rows_a_call) {
    File file = File::create(folder_ / name);
    {
      Dataset dataset =
          file.create_dataset("x", ElementType::u64, {values.size()}, {.chunk_rows = 100'000, .deflate = 1});
      for (std::uint64_t at = 0; at < values.size(); at += rows_a_call) {
        dataset.write<std::uint64_t>(at, std::span(values).subspan(at, std::min(rows_a_call, values.size() - at)));
      }
    }
    file.close();
    std::ifstream stream(folder_ / name, std::ios::binary);
    return std::string((std::istreambuf_iterator<char>(stream)), {});
  };
  const std::string whole = written("whole.h5", values.size());
  EXPECT_EQ(written("chunks.h5", 100'000), whole);
  EXPECT_EQ(written("ragged.h5", 70'001), whole);
  EXPECT_EQ(File::open(folder_ / "whole.h5").dataset("x").read_all<std::uint64_t>(), values);
  std::vector<std::uint64_t> inner(2'000'000);  // neither end is a chunk's
  File::open(folder_ / "whole.h5").dataset("x").read<std::uint64_t>(123'456, inner);
  EXPECT_TRUE(std::equal(inner.begin(), inner.end(), values.begin() + 123'456));
}

}  // namespace
}  // namespace chainrule::io::hdf5

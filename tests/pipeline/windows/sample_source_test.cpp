#include "pipeline/windows/sample_source.h"

#include <gtest/gtest.h>

#include <set>

#include "io/tokens/memory_stream.h"

namespace chainrule::pipeline::windows {
namespace {

io::tokens::MemoryStream stream_of(std::uint64_t tokens) {
  io::tokens::MemoryStream stream({100, 99, 99});
  stream.append(std::vector<std::uint32_t>(tokens - 1, 7));
  return stream;
}

TEST(PermutedWindows, AreTheWholeWindowsInTheirSampleOrder) {
  const io::tokens::MemoryStream stream = stream_of(4 * 10 + 3);
  const Windows windows(stream, 4);
  const PermutedWindows samples(windows, 5);
  const SampleOrder order(5, 10);
  for (std::uint64_t n = 0; n < 30; ++n) {
    const Sample sample = samples.sample(n);
    EXPECT_EQ(sample.stream, &stream);
    EXPECT_EQ(sample.epoch, n / 10);
    EXPECT_EQ(sample.window.first_target, 4 * order.window_of(n));
    EXPECT_EQ(sample.window.rows, 4);
    EXPECT_EQ(sample.window.scored, 4);
    EXPECT_EQ(sample.window.after_start, sample.window.first_target == 0);
  }
}

TEST(PermutedWindows, LeaveOutTheShorterLast) {
  const io::tokens::MemoryStream stream = stream_of(11);
  std::set<std::uint64_t> seen;
  const PermutedWindows samples(Windows(stream, 4), 1);
  for (std::uint64_t n = 0; n < 20; ++n) seen.insert(samples.sample(n).window.first_target);
  EXPECT_EQ(seen, (std::set<std::uint64_t>{0, 4}));
}

}  // namespace
}  // namespace chainrule::pipeline::windows

// Micro-batches are the samples of their source, whichever are read ahead.
#include "pipeline/pretrain/step/batch_reader.h"

#include <gtest/gtest.h>

#include <vector>

#include "io/error.h"
#include "io/tokens/memory_stream.h"

namespace chainrule::pipeline::pretrain::step {
namespace {

constexpr std::int64_t kLength = 4;

io::tokens::MemoryStream stream_of(std::uint32_t first) {
  io::tokens::MemoryStream stream({1000, 999, 998});
  std::vector<std::uint32_t> tokens(39);
  for (std::uint32_t i = 0; i < tokens.size(); ++i) tokens[i] = first + i;
  stream.append(tokens);
  return stream;
}

/// What mixing will be: every third sample comes from the second stream, each in an order of its own.
class Mixed final : public windows::SampleSource {
 public:
  Mixed() : first_(stream_of(100)), second_(stream_of(500)) {}
  windows::Sample sample(std::uint64_t n) const override {
    return n % 3 == 2 ? from_second_.sample(n / 3) : from_first_.sample(n - n / 3);
  }

 private:
  io::tokens::MemoryStream first_;
  io::tokens::MemoryStream second_;
  windows::PermutedWindows from_first_{windows::Windows(first_, kLength), 1};
  windows::PermutedWindows from_second_{windows::Windows(second_, kLength), 2};
};

/// The targets of samples first and first + 1, read one by one.
std::vector<std::uint32_t> targets_of(const windows::SampleSource& samples, std::uint64_t first) {
  std::vector<std::uint32_t> targets(2 * kLength);
  for (std::uint64_t i = 0; i < 2; ++i) {
    const windows::Sample sample = samples.sample(first + i);
    sample.stream->read(sample.window.first_target, std::span(targets).subspan(i * kLength, kLength));
  }
  return targets;
}

TEST(BatchReader, TakesTheSamplesAskedForWhateverWasReadAhead) {
  const Mixed samples;
  BatchReader reader(samples, 2, kLength);
  std::uint64_t announced = 0;
  bool second_stream = false;
  for (const auto& [first, next] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {0, 2}, {2, 4}, {4, 100}, {100, 102}, {6, 8}, {8, 8}, {8, 10}, {1'000'000, 0}}) {
    const model::ops::Batch batch = reader.take(first, next);
    const std::vector<std::uint32_t> expected = targets_of(samples, first);
    EXPECT_EQ(std::vector(batch.targets.begin(), batch.targets.end()), expected) << first;
    ASSERT_EQ(batch.sequences.size(), 2U);
    EXPECT_EQ(batch.sequences[1].first_row, kLength);
    for (std::size_t row = 1; row < kLength; ++row) EXPECT_EQ(batch.inputs[row], expected[row - 1]);
    for (const std::uint32_t target : batch.targets) second_stream |= target >= 500 && target < 900;
    announced = next;
    const auto ahead = reader.ahead();
    const std::vector<std::uint32_t> then = targets_of(samples, announced);
    ASSERT_EQ(ahead.size(), then.size());
    for (std::size_t row = 1; row < kLength; ++row) EXPECT_EQ(ahead[row], then[row - 1]);
  }
  EXPECT_TRUE(second_stream);
}

/// A source whose samples from the fourth on lie outside their stream.
class Short final : public windows::SampleSource {
 public:
  windows::Sample sample(std::uint64_t n) const override {
    windows::Sample sample{&stream_, {.rows = kLength, .scored = kLength, .after_start = n == 0}};
    sample.window.first_target = n < 4 ? n * kLength : 1000;
    return sample;
  }

 private:
  io::tokens::MemoryStream stream_ = stream_of(100);
};

TEST(BatchReader, WhatCannotBeReadAheadIsThrownWhereItIsTaken) {
  const Short samples;
  BatchReader reader(samples, 2, kLength);
  reader.take(2, 4);
  EXPECT_TRUE(reader.ahead().empty());
  EXPECT_THROW(reader.take(4, 0), io::Error);
}

}  // namespace
}  // namespace chainrule::pipeline::pretrain::step

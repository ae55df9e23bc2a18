// Which pages of gradients are in memory while ranks add them up after each micro-batch, as the system counts them.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <thread>
#include <vector>

#include "model/optimizer/adamw.h"
#include "pipeline/pretrain/exchange/block_ownership.h"
#include "pipeline/pretrain/exchange/parameter_rows.h"
#include "pipeline/pretrain/exchange/step_exchange.h"
#include "tests/support/mpi_world.h"

namespace chainrule::pipeline::pretrain::exchange {
namespace {

constexpr std::int64_t kBlock = model::optimizer::kOptimizerBlock;
constexpr std::int64_t kBucket = 8 * kBlock;  // a huge page
constexpr std::int64_t kSize = 16 * kBucket + 100;
constexpr std::int64_t kWidth = 1024;
constexpr std::int64_t kRows = 2 * kBucket / kWidth;
constexpr std::int64_t kMostAhead = 5;

/// Elements whose pages are there.
std::int64_t resident_elements(std::span<const float> arena) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t bytes = (arena.size_bytes() + page - 1) / page * page;
  std::vector<unsigned char> pages(bytes / page);
  EXPECT_EQ(::mincore(const_cast<float*>(arena.data()), bytes, pages.data()), 0);
  const auto there = std::ranges::count_if(pages, [](unsigned char each) { return (each & 1U) != 0; });
  return there * static_cast<std::int64_t>(page / sizeof(float));
}

class GradientPages : public testing::Test {
 protected:
  GradientPages()
      : ownership_(kSize, tests::world().size(), kBucket / kBlock),
        rows_({kSize - 100 - kRows * kWidth, kSize}, kRows, kWidth),
        exchange_(tests::world(), ownership_, rows_,
                  {.stage = ZeroStage::two, .lanes = 8, .most_rows = 16, .most_ahead = kMostAhead}) {
    exchange_.reduction().plan(kMicroBatches);
  }

  /// Backward of this rank: all of the embedding, then from the arena's beginning on, and late rows at last.
  void run_backward(std::span<float> arena) {
    const std::vector<std::uint32_t> inputs = {3, 1, 100, static_cast<std::uint32_t>(tests::world().rank()) + 200};
    exchange_.expect_rows(inputs);
    exchange_.need({0, 1});
    std::fill(arena.data() + rows_.all().begin, arena.data() + rows_.all().end, 1.0F);
    exchange_.ready_but_late_rows(rows_.all());
    for (std::int64_t at = 0; at < rows_.all().begin; at += kBucket) {
      const std::int64_t end = std::min(at + kBucket, rows_.all().begin);
      // The others are slow.
      if (tests::world().rank() != 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      std::fill(arena.data() + at, arena.data() + end, 1.0F);
      // The embedding (and a bucket that it fills a part of), what is ahead, this bucket; and pages of late rows, once
      // other buckets have the embedding's place.
      EXPECT_LE(resident_elements(arena), kRows * kWidth + (kMostAhead + 2) * kBucket + kBucket / 4);
      exchange_.ready({at, end});
    }
    exchange_.await_late_rows(rows_.all());
    for (const auto& range : rows_.of(inputs)) {
      std::for_each(arena.data() + range.begin, arena.data() + range.end, [](float& value) { value += 1; });
    }
  }

  static constexpr std::int64_t kMicroBatches = 20;  // three rounds
  BlockOwnership ownership_;
  ParameterRows rows_;
  StepExchange exchange_;
};

TEST_F(GradientPages, GoBackOnceTheyAreSummed) {
  GradientReduction& reduction = exchange_.reduction();
  for (std::size_t pass = 0; pass < reduction.passes().size(); ++pass) {
    const std::span<float> arena = reduction.begin_pass(pass);
    EXPECT_EQ(resident_elements(arena), 0);
    if (reduction.passes()[pass].micro_batch) {
      run_backward(arena);
    } else {
      exchange_.expect_rows({});
    }
    reduction.end_pass(pass);
    exchange_.finish_reduction();
  }
  const std::span<const float> sums = reduction.gradients();
  const std::int64_t own = ownership_.elements_of(tests::world().rank());
  constexpr std::int64_t kPage = 65'536 / sizeof(float);  // the largest there are
  EXPECT_LE(resident_elements(sums), own + kPage);
  for (const auto& slice : ownership_.slices_of(tests::world().rank())) {
    for (const std::int64_t at : {slice.begin, slice.end - 1}) {
      if (at >= rows_.all().end) continue;
      EXPECT_EQ(sums[static_cast<std::size_t>(at)], kMicroBatches) << "element " << at;
    }
  }
}

}  // namespace
}  // namespace chainrule::pipeline::pretrain::exchange

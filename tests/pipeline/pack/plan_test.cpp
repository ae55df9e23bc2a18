// The arithmetic of packing: who tokenises what, and which shard a document goes to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "pipeline/pack/shard_plan.h"
#include "pipeline/pack/work_chunks.h"

namespace chainrule::pipeline::pack {
namespace {

using ::testing::Each;
using ::testing::Le;
using ::testing::Pair;

io::text::TextFile file(std::uint64_t bytes, io::text::TextFormat format = io::text::TextFormat::plain) {
  return {"f", "f", "f", bytes, format};
}

TEST(WorkChunks, TileEveryFileInOrder) {
  const std::vector<io::text::TextFile> files{file(10),
                                              file(0),
                                              file(1000, io::text::TextFormat::json_lines),
                                              file(5000),
                                              file(7, io::text::TextFormat::json_lines),
                                              file(0, io::text::TextFormat::json_lines),
                                              file(300, io::text::TextFormat::json_lines)};
  for (const std::uint64_t size : {1U, 7U, 100U, 10'000U}) {
    const auto chunks = cut_into_chunks(files, size);
    std::vector<std::uint64_t> covered(files.size(), 0);
    std::size_t last = 0;
    for (const auto& chunk : chunks) {
      ASSERT_FALSE(chunk.pieces.empty());
      std::uint64_t bytes = 0;
      for (const auto& piece : chunk.pieces) {
        EXPECT_GE(piece.file, last);
        last = piece.file;
        EXPECT_EQ(piece.range.begin, covered[piece.file]);
        covered[piece.file] = piece.range.end;
        if (files[piece.file].format == io::text::TextFormat::plain) {
          EXPECT_EQ(piece.range.end, files[piece.file].bytes);
        } else {
          EXPECT_LE(piece.range.end - piece.range.begin, size);
        }
        bytes += piece.range.end - piece.range.begin;
      }
      EXPECT_EQ(chunk.bytes, bytes);
    }
    for (std::size_t i = 0; i < files.size(); ++i) EXPECT_EQ(covered[i], files[i].bytes) << size;
    EXPECT_EQ(last, files.size() - 1);
  }
  EXPECT_TRUE(cut_into_chunks({}, 10).empty());
}

TEST(WorkChunks, AreSharedEvenlyByBytes) {
  std::vector<WorkChunk> chunks(1000);
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < chunks.size(); ++i) total += chunks[i].bytes = i % 2 == 0 ? 5000 : 10;
  for (const int ranks : {1, 2, 3, 7}) {
    std::vector<std::uint64_t> loads(static_cast<std::size_t>(ranks));
    const auto takers = assign_chunks(chunks, ranks);
    for (std::size_t i = 0; i < chunks.size(); ++i) loads[static_cast<std::size_t>(takers[i])] += chunks[i].bytes;
    EXPECT_THAT(loads, Each(Le(total / static_cast<std::uint64_t>(ranks) + 5000))) << ranks;
  }
}

/// Chunks of the given token counts, in one set.
std::vector<ChunkResult> results_of(const std::vector<std::uint64_t>& tokens) {
  std::vector<ChunkResult> results;
  for (const std::uint64_t each : tokens) {
    ChunkResult result;
    result.chunk = results.size();
    result.parts[0] = {0, each == 0 ? 0U : 1U, 0, each};
    results.push_back(result);
  }
  return results;
}

TEST(ShardPlan, ASlotHoldsTheChunksInWhichItsTokensLie) {
  const std::vector<std::uint64_t> tokens{0, 5, 0, 1, 20, 0, 4};
  std::vector<WorkChunk> chunks(tokens.size());
  for (auto& chunk : chunks) chunk.pieces.push_back({0, {0, 0}});
  const ShardPlan plan(chunks, results_of(tokens), 0, 3);
  EXPECT_EQ(plan.token_count(), 30U);
  EXPECT_EQ(plan.document_count(), 4U);
  EXPECT_EQ(plan.first_token(4), 6U);
  for (std::size_t chunk = 0; chunk < tokens.size(); ++chunk) {
    if (tokens[chunk] == 0) continue;
    for (std::uint64_t token = plan.first_token(chunk); token < plan.first_token(chunk) + tokens[chunk]; ++token) {
      const auto [first, end] = plan.chunks_of(plan.slot_of(token));
      EXPECT_TRUE(first <= chunk && chunk < end) << "token " << token << " of chunk " << chunk;
    }
  }
  EXPECT_THAT(plan.chunks_of(0), Pair(1, 2));  // nothing that is far from the slot is read for it
  EXPECT_THAT(plan.chunks_of(9), Pair(6, 7));
  const ShardPlan whole(chunks, results_of(tokens), 0, UINT64_MAX);
  EXPECT_THAT(whole.chunks_of(0), Pair(1, 7));
}

TEST(ShardPlan, LinesAreCountedAcrossTheChunksOfAFile) {
  // File 0 in chunks 0 to 2, file 1 in chunks 2 and 3.
  const std::vector<WorkChunk> chunks{
      {{{0, {0, 10}}}, 10}, {{{0, {10, 20}}}, 10}, {{{0, {20, 25}}, {1, {0, 5}}}, 10}, {{{1, {5, 9}}}, 4}};
  auto results = results_of({1, 1, 1, 1});
  results[0].last_piece_lines = 3;
  results[1].last_piece_lines = 4;
  results[2].last_piece_lines = 2;  // of file 1
  results[3].last_piece_lines = 1;
  const ShardPlan plan(chunks, results, 0, 100);
  EXPECT_EQ(plan.line_of(0, 0, 2), 2U);
  EXPECT_EQ(plan.line_of(1, 0, 1), 4U);
  EXPECT_EQ(plan.line_of(2, 0, 1), 8U);
  EXPECT_EQ(plan.line_of(2, 1, 2), 2U);
  EXPECT_EQ(plan.line_of(3, 1, 1), 3U);
}

}  // namespace
}  // namespace chainrule::pipeline::pack

#include "pipeline/pack/work_chunks.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

#include "io/text/unpacking.h"

namespace chainrule::pipeline::pack {
namespace {
constexpr std::uint64_t kSmallestChunkBytes = std::uint64_t{64} << 10U;
constexpr std::uint64_t kLargestChunkBytes = std::uint64_t{16} << 20U;
constexpr std::uint64_t kChunksWanted = 4096;
}  // namespace

std::vector<WorkChunk> cut_into_chunks(const std::vector<io::text::TextFile>& files, std::uint64_t chunk_bytes) {
  std::vector<WorkChunk> chunks(1);
  std::uint64_t room = chunk_bytes;  // in the last chunk
  const auto add = [&](std::size_t file, std::uint64_t begin, std::uint64_t end) {
    chunks.back().pieces.push_back({file, {begin, end}});
    chunks.back().bytes += end - begin;
    if (files[file].path == io::text::kStandardInput) chunks.back().has_standard_input = true;
    room -= std::min(room, end - begin);
    if (room == 0) {
      chunks.emplace_back();
      room = chunk_bytes;
    }
  };
  for (std::size_t i = 0; i < files.size(); ++i) {
    std::uint64_t begin = 0;
    if (files[i].format != io::text::TextFormat::plain && !files[i].streamed) {
      while (files[i].bytes - begin > room) {
        const std::uint64_t end = begin + room;
        add(i, begin, end);
        begin = end;
      }
    }
    add(i, begin, files[i].bytes);
  }
  if (chunks.back().pieces.empty()) chunks.pop_back();
  return chunks;
}

std::uint64_t suitable_chunk_bytes(const std::vector<io::text::TextFile>& files) {
  std::uint64_t total = 0;
  for (const auto& file : files) total += file.bytes;
  return std::clamp(total / kChunksWanted, kSmallestChunkBytes, kLargestChunkBytes);
}

std::vector<int> assign_chunks(const std::vector<WorkChunk>& chunks, int ranks) {
  using Load = std::pair<std::uint64_t, int>;
  std::priority_queue<Load, std::vector<Load>, std::greater<>> loads;
  for (int rank = 0; rank < ranks; ++rank) loads.emplace(0, rank);
  std::vector<int> takers;
  takers.reserve(chunks.size());
  for (const auto& chunk : chunks) {
    if (chunk.has_standard_input) {
      takers.push_back(0);
      continue;
    }
    const auto [bytes, rank] = loads.top();
    loads.pop();
    takers.push_back(rank);
    loads.emplace(bytes + chunk.bytes + 1, rank);  // + 1: chunks of empty files are shared too
  }
  return takers;
}

}  // namespace chainrule::pipeline::pack

#include "pipeline/pack/shard_plan.h"

#include <algorithm>

namespace chainrule::pipeline::pack {

ShardPlan::ShardPlan(const std::vector<WorkChunk>& chunks, const std::vector<ChunkResult>& results, int set,
                     std::uint64_t shard_tokens)
    : set_(set), shard_tokens_(shard_tokens), first_tokens_{0} {
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const ChunkPart& part = results[i].parts[static_cast<std::size_t>(set)];
    first_tokens_.push_back(first_tokens_.back() + part.tokens);
    documents_ += part.documents;
    const FilePiece& first = chunks[i].pieces.front();
    std::uint64_t before = 0;
    if (first.range.begin != 0) {  // the file began in an earlier chunk and filled the end of the last one
      before = results[i - 1].last_piece_lines;
      if (chunks[i - 1].pieces.size() == 1) before += lines_before_[i - 1];
    }
    lines_before_.push_back(before);
    first_file_.push_back(first.file);
  }
}

std::pair<std::size_t, std::size_t> ShardPlan::chunks_of(std::uint64_t slot) const {
  const auto position = [&](auto found) { return static_cast<std::size_t>(found - first_tokens_.begin()); };
  const std::uint64_t begin = slot * shard_tokens_;
  const std::uint64_t end = std::min(token_count(), begin + std::min(shard_tokens_, token_count()));
  const auto after = std::upper_bound(first_tokens_.begin(), first_tokens_.end(), begin);
  return {position(after) - 1, position(std::lower_bound(after, first_tokens_.end(), end))};
}

std::uint64_t ShardPlan::line_of(std::size_t chunk, std::uint64_t file, std::uint64_t line) const {
  return line != 0 && file == first_file_[chunk] ? lines_before_[chunk] + line : line;
}

}  // namespace chainrule::pipeline::pack

#pragma once
#include <cstdint>
#include <vector>

#include "pipeline/pack/encode_chunks.h"

namespace chainrule::pipeline::pack {

/// Where everything of one data set lies, known from what became of the chunks: pure arithmetic, equal on all ranks.
/// Slot k of the stream takes the documents whose first token is among tokens [k N, (k + 1) N), N tokens a shard; slots
/// without a document (inside a document longer than N) make no shard, the others are the shards in order.
class ShardPlan {
 public:
  /// results: one a chunk, in chunk order.
  ShardPlan(const std::vector<WorkChunk>& chunks, const std::vector<ChunkResult>& results, int set,
            std::uint64_t shard_tokens);

  int set() const { return set_; }
  std::uint64_t token_count() const { return first_tokens_.back(); }
  std::uint64_t document_count() const { return documents_; }

  /// Stream position of a chunk's first token.
  std::uint64_t first_token(std::size_t chunk) const { return first_tokens_[chunk]; }
  std::uint64_t slot_of(std::uint64_t token) const { return token / shard_tokens_; }
  /// The chunks [first, end) that hold a slot's documents, and others maybe.
  std::pair<std::size_t, std::size_t> chunks_of(std::uint64_t slot) const;
  /// Line of the file, from the line in the chunk's piece of it.
  std::uint64_t line_of(std::size_t chunk, std::uint64_t file, std::uint64_t line) const;

 private:
  int set_;
  std::uint64_t shard_tokens_;
  std::uint64_t documents_ = 0;
  std::vector<std::uint64_t> first_tokens_;  ///< [chunks + 1]
  std::vector<std::uint64_t> lines_before_;  ///< [chunks] lines of its first file that begin before it
  std::vector<std::uint64_t> first_file_;    ///< [chunks]
};

}  // namespace chainrule::pipeline::pack

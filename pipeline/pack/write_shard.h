#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/tokens/dataset_index.h"
#include "pipeline/pack/shard_plan.h"

namespace chainrule::pipeline::pack {

/// What writing shards needs to know; equal on all ranks.
struct ShardSource {
  const PackOptions& options;
  const PackInputs& inputs;
  const std::vector<ChunkResult>& results;
  io::tokens::ShardHeader header;
  std::filesystem::path spill_folder;
};

/// A shard as written.
struct WrittenShard {
  io::tokens::ShardEntry entry;
  std::vector<io::tokens::DomainEntry> domains;  ///< in order of first appearance in the shard
};

/// The slots in which documents of rank's chunks begin, ascending.
std::vector<std::uint64_t> used_slots(const ShardSource& source, const ShardPlan& plan, int rank);

/// Writes the documents of a slot to folder/name, syncs, reads everything back and verifies it. Throws io::Error.
WrittenShard write_shard(const ShardSource& source, const ShardPlan& plan, std::uint64_t slot,
                         const std::filesystem::path& folder, const std::string& name);

}  // namespace chainrule::pipeline::pack

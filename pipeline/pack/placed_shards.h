#pragma once
#include <span>
#include <string>
#include <vector>

#include "pipeline/pack/write_shard.h"

namespace chainrule::pipeline::pack {

/// A written shard and its place: which data set, and which of its shards.
struct PlacedShard {
  std::size_t set = 0;
  std::size_t number = 0;
  WrittenShard shard;
};

/// As bytes and back, to be told to other ranks.
std::string to_message(const std::vector<PlacedShard>& shards);
std::vector<PlacedShard> from_message(std::span<const std::byte> message);

/// Shards and domains of set's index, from all shards in any order.
io::tokens::DataSetIndex index_of(std::size_t set, const io::tokens::ShardHeader& header,
                                  std::vector<PlacedShard> shards);

}  // namespace chainrule::pipeline::pack

#include "pipeline/pack/placed_shards.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "io/files/json_text.h"

namespace chainrule::pipeline::pack {

std::string to_message(const std::vector<PlacedShard>& shards) {
  nlohmann::json json = nlohmann::json::array();
  for (const auto& [set, number, shard] : shards) {
    nlohmann::json domains = nlohmann::json::array();
    for (const auto& each : shard.domains) {
      domains.push_back({each.name, each.documents, each.tokens, each.bytes, each.words});
    }
    const io::tokens::ShardEntry& entry = shard.entry;
    json.push_back({set, number, entry.file, entry.tokens, entry.documents, entry.file_bytes, entry.digest, domains});
  }
  return io::files::json_message(json);
}

std::vector<PlacedShard> from_message(std::span<const std::byte> message) {
  std::vector<PlacedShard> shards;
  const std::string_view bytes(reinterpret_cast<const char*>(message.data()), message.size());
  for (const auto& each : io::files::parse_json_message(bytes)) {
    PlacedShard placed{each[0], each[1], {{each[2], each[3], each[4], each[5], each[6]}, {}}};
    for (const auto& domain : each[7]) {
      placed.shard.domains.push_back({domain[0], domain[1], domain[2], domain[3], domain[4]});
    }
    shards.push_back(std::move(placed));
  }
  return shards;
}

io::tokens::DataSetIndex index_of(std::size_t set, const io::tokens::ShardHeader& header,
                                  std::vector<PlacedShard> shards) {
  std::erase_if(shards, [&](const PlacedShard& each) { return each.set != set; });
  std::sort(shards.begin(), shards.end(),
            [](const PlacedShard& a, const PlacedShard& b) { return a.number < b.number; });
  io::tokens::DataSetIndex index;
  index.header = header;
  for (const auto& each : shards) {
    index.shards.push_back(each.shard.entry);
    for (const auto& part : each.shard.domains) {
      auto whole = std::find_if(index.domains.begin(), index.domains.end(),
                                [&](const io::tokens::DomainEntry& known) { return known.name == part.name; });
      if (whole == index.domains.end()) {
        index.domains.push_back({part.name, 0, 0, 0, 0});
        whole = index.domains.end() - 1;
      }
      whole->documents += part.documents;
      whole->tokens += part.tokens;
      whole->bytes += part.bytes;
      whole->words += part.words;
    }
  }
  return index;
}

}  // namespace chainrule::pipeline::pack

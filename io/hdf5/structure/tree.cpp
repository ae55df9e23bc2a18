#include "io/hdf5/structure/tree.h"

namespace chainrule::io::hdf5::structure {
namespace {
constexpr std::size_t kNodePrefixBytes = 24;
constexpr std::size_t kAddressBytes = 8;
}  // namespace

TreeReader::TreeReader(MetadataFile& file, Kind kind, std::size_t key_bytes, std::size_t most)
    : file_(file),
      kind_(kind),
      node_bytes_(kNodePrefixBytes + (most + 1) * key_bytes + most * kAddressBytes),
      most_(most) {}

TreeReader::Node TreeReader::read(std::uint64_t address, std::optional<std::uint8_t> above) {
  Fields fields = file_.read(address, node_bytes_, "node of a B-tree");
  fields.expect("TREE", "signature of a B-tree's node");
  fields.require(fields.u8() == static_cast<std::uint8_t>(kind_), "a B-tree of another kind");
  const std::uint8_t level = fields.u8();
  fields.require(!above || level + 1 == *above, "levels of a B-tree do not fall by one");
  const std::uint16_t entries = fields.u16();
  fields.require(entries <= most_, "a B-tree's node of too many entries");
  fields.require(entries > 0 || (!above && level == 0), "a B-tree's node without entries");
  follow(address, level, fields);
  return {level, entries, std::move(fields)};
}

void TreeReader::follow(std::uint64_t address, std::uint8_t level, Fields& fields) {
  if (last_.size() <= level) last_.resize(level + std::size_t{1});
  Last& last = last_[level];
  fields.require(fields.u64() == last.address, "a B-tree's node has another left neighbour");
  if (last.fields) last.fields->require(last.right == address, "a B-tree's node has another right neighbour");
  const std::uint64_t right = fields.u64();
  last = {address, right, fields};
}

void TreeReader::finish(bool complete) const {
  for (const Last& last : last_) {
    last.fields->require(last.right == kUndefined, "a B-tree's last node has a right neighbour");
    last.fields->require(complete, "a B-tree that lacks entries");
  }
}

}  // namespace chainrule::io::hdf5::structure

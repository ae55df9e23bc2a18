#include "io/hdf5/structure/chunk_index.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/hdf5/structure/tree.h"

namespace chainrule::io::hdf5::structure {
namespace {

constexpr std::size_t kMostEntries = 64;
constexpr std::uint64_t kChecksumBytes = 4;
/// zlib cannot pack more than 1,032 bytes into one, and the library gives it this much room to grow.
constexpr std::uint64_t kMostDeflation = 1032;
constexpr std::uint64_t kGrowthDivisor = 512;
constexpr std::uint64_t kGrowthBytes = 64;

/// Offsets of a chunk in elements, then in bytes of an element; compared in this order, as the tree does.
using Place = std::array<std::uint64_t, kMostDimensions + 1>;

struct Key {
  std::uint32_t stored_bytes = 0;
  std::uint32_t skipped_filters = 0;
  Place place{};
};

/// Places of a subtree: from low to before high.
struct PlaceBounds {
  Place low{};
  Place high;
};

std::uint64_t chunks_along(const StoredDataset& dataset, std::size_t dimension) {
  const std::uint64_t extent = dataset.extent[dimension];
  return extent / dataset.chunk[dimension] + (extent % dataset.chunk[dimension] == 0 ? 0 : 1);
}

class ChunkWalk {
 public:
  ChunkWalk(MetadataFile& file, const StoredDataset& dataset)
      : file_(file),
        dataset_(dataset),
        rows_(chunks_along(dataset, 0)),
        columns_(dataset.rank == 2 ? chunks_along(dataset, 1) : 1),
        tree_(file, TreeReader::Kind::chunks, 8 + 8 * (dataset.rank + 1), kMostEntries) {}

  void walk() {
    Place beyond;
    beyond.fill(kUndefined);
    node(dataset_.index_address, std::nullopt, {.high = beyond});
    tree_.finish(met_ == rows_ * columns_);
  }

 private:
  void node(std::uint64_t address, std::optional<std::uint8_t> above, const PlaceBounds& bounds) {
    auto [level, entries, fields] = tree_.read(address, above);
    Key key = read_key(fields);
    for (std::uint16_t i = 0; i < entries; ++i) {
      const std::uint64_t child = fields.u64();
      const Fields at_child = fields;
      const Key next = read_key(fields);
      // A search goes down where the place is between the keys on both sides, at every level.
      const PlaceBounds inner{std::max(bounds.low, key.place), std::min(bounds.high, next.place)};
      if (level > 0) {
        node(child, level, inner);
      } else {
        chunk(key, child, inner, at_child);
      }
      key = next;
    }
  }

  Key read_key(Fields& fields) const {
    Key key{.stored_bytes = fields.u32(), .skipped_filters = fields.u32()};
    for (std::size_t i = 0; i <= dataset_.rank; ++i) {
      key.place[i] = fields.u64();
      fields.require(key.place[i] % dataset_.chunk[i] == 0, "a key of a chunk index is not at a chunk's border");
    }
    return key;
  }

  void chunk(const Key& key, std::uint64_t address, const PlaceBounds& bounds, const Fields& fields) {
    fields.require(met_ < rows_ * columns_ && key.place == place_of(met_), "a chunk is missing or out of order");
    fields.require(bounds.low <= key.place && key.place < bounds.high, "a chunk is not between the keys around it");
    fields.require(key.skipped_filters == 0, "a chunk that skipped filters");
    if (!can_be_stored_in(key.stored_bytes)) {
      fields.refuse(fmt::format("a chunk of {} bytes stored in {}", dataset_.chunk_bytes, key.stored_bytes));
    }
    file_.claim(address, key.stored_bytes, "chunk");
    ++met_;
  }

  /// Of the n-th chunk: rows come before columns.
  Place place_of(std::uint64_t n) const {
    Place place{n / columns_ * dataset_.chunk[0]};
    if (dataset_.rank == 2) place[1] = n % columns_ * dataset_.chunk[1];
    return place;
  }

  bool can_be_stored_in(std::uint64_t bytes) const {
    const std::uint64_t whole = dataset_.chunk_bytes;
    const std::uint64_t added = dataset_.fletcher32 ? kChecksumBytes : 0;
    if (!dataset_.deflate) return bytes == whole + added;
    if (bytes <= added) return false;
    const std::uint64_t packed = bytes - added;
    return packed >= whole / kMostDeflation && packed <= whole + whole / kGrowthDivisor + kGrowthBytes;
  }

 private:
  MetadataFile& file_;
  const StoredDataset& dataset_;
  const std::uint64_t rows_;     ///< of chunks
  const std::uint64_t columns_;  ///< of chunks; rows_ x columns_ are no more than there are elements
  TreeReader tree_;
  std::uint64_t met_ = 0;
};

}  // namespace

void check_chunks(MetadataFile& file, const StoredDataset& dataset) {
  const bool empty = dataset.extent[0] == 0 || (dataset.rank == 2 && dataset.extent[1] == 0);
  if (empty && dataset.index_address == kUndefined) return;
  ChunkWalk(file, dataset).walk();
}

}  // namespace chainrule::io::hdf5::structure

#include "io/hdf5/structure/group.h"

#include <algorithm>
#include <optional>

#include "io/hdf5/structure/chunk_index.h"
#include "io/hdf5/structure/tree.h"

namespace chainrule::io::hdf5::structure {
namespace {

constexpr std::uint64_t kHeapPrefixBytes = 32;
constexpr std::uint64_t kFreeBlockBytes = 16;
constexpr std::uint64_t kEndOfFreeList = 1;
constexpr std::uint64_t kLeafBytes = 8 + 40 * kGroupLeafEntries;

/// A local heap (file format specification, III.D): the names of a group's links.
class Heap {
 public:
  Heap(MetadataFile& file, std::uint64_t address) : Heap(file, file.read(address, kHeapPrefixBytes, "local heap")) {}

  /// The name that field, taken last, has the offset of.
  std::string_view name(std::uint64_t offset, const Fields& field) const {
    const std::string_view all = data_->text();
    field.require(offset < all.size(), "a name outside the heap of names");
    const std::size_t end = all.find('\0', offset);
    field.require(end != std::string_view::npos, "a name that does not end");
    return all.substr(offset, end - offset);
  }

 private:
  Heap(MetadataFile& file, Fields prefix) {
    prefix.expect("HEAP", "signature of a local heap");
    prefix.require(prefix.u32() == 0, "a local heap of another version than 0");
    const std::uint64_t bytes = prefix.u64();
    const std::uint64_t free = prefix.u64();
    data_.emplace(file.read(prefix.u64(), bytes, "local heap's data"));
    check_free_list(free, prefix);
  }

  /// The library follows the list for as long as it goes on.
  void check_free_list(std::uint64_t offset, const Fields& prefix) const {
    std::uint64_t left = data_->left();
    while (offset != kEndOfFreeList) {
      Fields block = *data_;
      prefix.require(offset <= block.left() && block.left() - offset >= kFreeBlockBytes,
                     "a local heap's free block lies outside");
      block.skip(offset);
      const std::uint64_t room = block.left();
      const std::uint64_t next = block.u64();
      const std::uint64_t bytes = block.u64();
      block.require(bytes >= kFreeBlockBytes && bytes <= room, "a local heap's free block of impossible size");
      block.require(bytes <= left, "a local heap's free blocks overlap");
      left -= bytes;
      offset = next;
    }
  }

  std::optional<Fields> data_;
};

/// Names of a subtree: after low, up to high.
struct NameBounds {
  std::string_view low;
  std::optional<std::string_view> high;
};

class GroupWalk {
 public:
  GroupWalk(MetadataFile& file, const StoredGroup& group)
      : file_(file), heap_(file, group.heap_address), tree_(file, TreeReader::Kind::group, 8, kGroupTreeEntries) {
    node(group.tree_address, std::nullopt, {});
    tree_.finish(true);
  }

 private:
  void node(std::uint64_t address, std::optional<std::uint8_t> above, const NameBounds& bounds) {
    auto [level, entries, fields] = tree_.read(address, above);
    std::string_view key = heap_.name(fields.u64(), fields);
    for (std::uint16_t i = 0; i < entries; ++i) {
      const std::uint64_t child = fields.u64();
      const std::string_view next = heap_.name(fields.u64(), fields);
      const NameBounds inner{std::max(bounds.low, key), bounds.high ? std::min(*bounds.high, next) : next};
      if (level > 0) {
        node(child, level, inner);
      } else {
        leaf(child, inner);
      }
      key = next;
    }
  }

  void leaf(std::uint64_t address, const NameBounds& bounds) {
    Fields fields = file_.read(address, kLeafBytes, "symbol table node");
    fields.expect("SNOD", "signature of a symbol table node");
    fields.require(fields.u8() == 1, "a symbol table node of another version than 1");
    fields.skip(1);
    const std::uint16_t entries = fields.u16();
    fields.require(entries > 0 && entries <= kGroupLeafEntries, "a symbol table node of an impossible number of links");
    for (std::uint16_t i = 0; i < entries; ++i) link(fields, bounds);
  }

  void link(Fields& fields, const NameBounds& bounds) {
    const std::string_view name = heap_.name(fields.u64(), fields);
    fields.require(name > last_, "a link without a name, or out of order");
    fields.require(name > bounds.low && name <= *bounds.high, "a link is not between the names around it");
    last_ = name;
    const std::uint64_t header = fields.u64();
    fields.require(fields.u32() == 0, "a link to something else than a dataset");
    fields.skip(20);
    check_chunks(file_, read_dataset_header(file_, header));
  }

  MetadataFile& file_;
  Heap heap_;
  TreeReader tree_;
  std::string_view last_;
};

}  // namespace

void check_group(MetadataFile& file, const StoredGroup& group) { const GroupWalk walk(file, group); }

}  // namespace chainrule::io::hdf5::structure
